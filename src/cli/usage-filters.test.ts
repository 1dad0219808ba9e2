import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { configReader, startServer, type RunningServer } from '../app.ts';
import type { Count } from '../ledger/index.ts';
import { dimensions } from '../usage/index.ts';
import { countedDirectory } from './testing/counted.ts';
import { run } from './testing/terminal.ts';

const pull = (values: Count['dimensions'], quantity: bigint): Count => ({
  meter: 'pulls',
  dimensions: values,
  quantity,
});

const hub = { org: 'a.org', arch: 'amd64', upstream: 'docker.io', repository: 'library/alpine' };
const counts = [
  pull({ ...hub, tag: 'v1', user: 'alice', client: '10.0.0.1', outcome: 'success' }, 1n),
  pull({ ...hub, tag: 'v2', user: 'bob', client: '10.0.0.2', outcome: 'failure' }, 2n),
  pull({ ...hub, repository: 'library/busybox', user: 'alice', client: '10.0.0.2' }, 4n),
  pull({ org: 'b.org', arch: 'arm64', upstream: 'ghcr.io', repository: 'x/y', tag: 'v1' }, 8n),
  pull({}, 16n),
];

let data: string;
let config: string;
let server: RunningServer;
beforeAll(async () => {
  data = await countedDirectory(counts, dimensions);
  config = join(data, 'all.yaml');
  const text = `listen: 127.0.0.1:0\nlog: { level: error }\nupstreams: {}\ndata: .\nusage: { dimensions: [${dimensions.join(', ')}] }\n`;
  writeFileSync(config, text);
  server = await startServer({
    config: configReader.load({ file: config, environment: {} }),
    acceptTimeZone: false,
    version: '0',
  });
});
afterAll(async () => {
  await server.stop();
  rmSync(data, { recursive: true });
});

const local = (...flags: readonly string[]) =>
  run(['usage', 'pulls', '--config', config, '--format', 'json', ...flags]);

describe.each<[flags: readonly string[], query: string, total: number]>([
  [['--upstream', 'docker.io'], 'upstream=docker.io', 7],
  [['--repository', 'library/alpine'], 'repository=library/alpine', 3],
  [['--tag', 'v1'], 'tag=v1', 9],
  [['--outcome', 'failure'], 'outcome=failure', 2],
  [['--of-user', 'alice'], 'user=alice', 5],
  [['--client', '10.0.0.2'], 'client=10.0.0.2', 6],
  [['--tag', ''], 'tag=', 20],
  [['--of-user', '', '--org', 'b.org'], 'user=&org=b.org', 8],
  [['--client', ''], 'client=', 24],
  [['--org', 'a.org', '--arch', 'amd64', '--tag', 'v2'], 'org=a.org&arch=amd64&tag=v2', 2],
  [['--org', 'A.Org', '--arch', 'x86_64'], 'org=A.Org&arch=x86_64', 7],
  [['--org', '__other__'], 'org=__other__', 0],
  [['--upstream', 'nowhere'], 'upstream=nowhere', 0],
  [['--by', 'tag,outcome', '--top', '2'], 'by=tag,outcome&top=2', 31],
  [['--by', 'repository', '--distinct', 'user'], 'by=repository&distinct=user', 31],
  [['--window', 'day', '--by', 'user'], 'window=day&by=user', 31],
  [['--window', 'month'], 'window=month', 31],
])('%j', (flags, query, total) => {
  test('answers as the API does', async () => {
    const answer = await fetch(`${server.url}/api/v1/usage/pulls?${query}`);
    const { code, stdout, stderr } = await local(...flags);
    expect([code, stderr]).toEqual([0, '']);
    expect(JSON.parse(stdout)).toEqual(await answer.json());
    expect(JSON.parse(stdout)).toMatchObject({ total });
    const remote = await run(['usage', 'pulls', '--url', server.url, '--format', 'json', ...flags]);
    expect(remote).toEqual({ code: 0, stdout, stderr: '' });
  });
});

test.each([
  [['--by', 'colour'], 'by=colour'],
  [['--window', 'week'], 'window=week'],
  [['--window', 'day', '--by', 'month'], 'window=day&by=month'],
  [['--top', '0'], 'top=0'],
  [['--distinct', 'org'], 'distinct=org'],
  [['--from', '2026-02-30'], 'from=2026-02-30'],
  [['--limit', '10001'], 'limit=10001'],
  [['--cursor', 'x'], 'cursor=x'],
  [['--org', 'a b'], 'org=a%20b'],
  [['--arch', 'a b'], 'arch=a%20b'],
  [['--from', '9999-01-01'], 'from=9999-01-01'],
  [['--by', 'org', '--by', 'arch'], 'by=org&by=arch'],
  [['--org', 'a.org', '--org', 'a.org'], 'org=a.org&org=a.org'],
  [['--of-user', 'a', '--of-user', 'b'], 'user=a&user=b'],
  [['--cursor', 'x', '--cursor', 'x'], 'cursor=x&cursor=x'],
  [['--format', 'json'], 'format=json&format=json'],
])('%j is refused in the words of the API', async (flags, query) => {
  const answer = await fetch(`${server.url}/api/v1/usage/pulls?${query}`);
  const { detail } = (await answer.json()) as { detail: string };
  expect(answer.status).toBe(400);
  const refused = { code: 2, stdout: '', stderr: `tonnage: ${detail}\n` };
  expect(await local(...flags)).toEqual(refused);
  expect(await run(['usage', 'pulls', '--url', server.url, '--format', 'json', ...flags])).toEqual(refused);
});

test.each([
  [['--tag', 'v1'], 'tag: expected a dimension that is kept (org, arch, upstream, repository)'],
  [['--of-user', 'alice'], 'user: expected a dimension that is kept (org, arch, upstream, repository)'],
  [
    ['--distinct', 'client'],
    'distinct: expected a dimension that is kept (org, arch, upstream, repository), got "client"',
  ],
])('%j is refused where that is not kept', async (flags, message) => {
  const result = await run(['usage', 'pulls', '--data', data, ...flags]);
  expect(result).toEqual({ code: 2, stdout: '', stderr: `tonnage: ${message}\n` });
});
