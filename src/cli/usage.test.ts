import { createServer, type RequestListener, type Server } from 'node:http';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { configReader, startServer, type RunningServer } from '../app.ts';
import { limits, systemRandom } from '../base/index.ts';
import { hashPassword } from '../identity/index.ts';
import type { Count } from '../ledger/index.ts';
import { formatCursor, parseUsageQuery } from '../usage/index.ts';
import { countedDirectory } from './testing/counted.ts';
import { run } from './testing/terminal.ts';

const pull = (org: string | undefined, arch: string, quantity: bigint): Count => ({
  meter: 'pulls',
  dimensions: { ...(org !== undefined && { org }), arch, upstream: 'docker.io', repository: 'library/alpine' },
  quantity,
});

let data: string;
let server: RunningServer;
beforeAll(async () => {
  data = await countedDirectory([
    pull('example.org', 'amd64', 9_007_199_254_740_993n),
    pull('a.io', 'arm64', 1_234n),
    pull(undefined, 'amd64', 7n),
  ]);
  const hash = await hashPassword('pa:ss', systemRandom);
  const config = configReader.read({
    file: {
      name: 'c.yaml',
      text: `listen: 127.0.0.1:0\nlog: { level: error }\nupstreams: {}\nusers: { a: { passwordHash: "${hash}" }, bound: { passwordHash: "${hash}", org: a.io } }`,
      directory: data,
    },
    environment: {},
    flags: { data },
    workingDirectory: data,
    readSecret: () => '',
  });
  server = await startServer({ config, acceptTimeZone: false, version: '0' });
});
afterAll(async () => {
  await server.stop();
  rmSync(data, { recursive: true });
});

const day = '[0-9]{4}-[0-9]{2}-[0-9]{2}';

describe('from the data directory, while a server is running on it', () => {
  test('as a table', async () => {
    const { code, stdout, stderr } = await run(['usage', 'pulls', '--by', 'org', '--data', data], {
      environment: { LANG: 'C.UTF-8' },
    });
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(
      new RegExp(
        `^pulls from ${day} until ${day} \\(UTC\\)\n\n` +
          'org +pulls\n' +
          'example\\.org +9,007,199,254,740,993 {2}█{20}\n' +
          'a\\.io +1,234 {2}▏\n' +
          '- +7 {2}▏\n' +
          'total +9,007,199,254,742,234\n$',
      ),
    );
  });

  test('as CSV', async () => {
    const { stdout } = await run(['usage', 'pulls', '--by', 'org', '--data', data, '--format', 'csv']);
    expect(stdout).toBe('org,value\r\nexample.org,9007199254740993\r\na.io,1234\r\n,7\r\n');
  });

  test('as CSV without the quotes before formulas, of which there are none here', async () => {
    const { stdout } = await run(['usage', 'pulls', '--by', 'org', '--data', data, '--format', 'csv-raw']);
    expect(stdout).toBe('org,value\r\nexample.org,9007199254740993\r\na.io,1234\r\n,7\r\n');
  });

  test('a page says that rows are missing, and how to go on', async () => {
    const page = (...flags: readonly string[]) => run(['usage', 'pulls', '--by', 'org', '--data', data, ...flags]);
    const first = await page('--limit', '1');
    const [, cursor = ''] =
      /\ntotal .*\n\nrows after these are omitted: continue with --cursor (\S+)\n$/.exec(first.stdout) ?? [];
    expect([first.code, first.stderr]).toEqual([0, '']);
    const second = await page('--limit', '1', '--cursor', cursor);
    expect(second.stdout).toContain('\na.io ');
    expect(second.stdout).toMatch(
      /\n\nrows before these are omitted because of --cursor\nrows after these are omitted: .*\n$/,
    );
    const csv = await page('--cursor', cursor, '--limit', '2', '--format', 'csv');
    expect(csv.stdout).toBe('org,value\r\na.io,1234\r\n,7\r\n');
    expect(csv.stderr).toBe('tonnage: rows before these are omitted because of --cursor\n');
    const json = await page('--cursor', cursor, '--format', 'json');
    expect([json.code, json.stderr]).toEqual([0, '']);
    const other = await page('--cursor', cursor, '--arch', 'amd64');
    expect([other.code, other.stdout]).toEqual([2, '']);
    expect(other.stderr).toContain('tonnage: cursor: expected a cursor of the same query');
  });

  test('filtered', async () => {
    const csv = async (...flags: string[]): Promise<string> =>
      (await run(['usage', 'pulls', '--data', data, '--format', 'csv', ...flags])).stdout;
    expect(await csv('--org', 'a.io')).toBe('value\r\n1234\r\n');
    expect(await csv('--org', 'A.IO', '--arch', 'aarch64')).toBe('value\r\n1234\r\n');
    expect(await csv('--org', '')).toBe('value\r\n7\r\n');
    expect(await csv('--arch', 'arm64')).toBe('value\r\n1234\r\n');
    expect(await csv('--to', '2020-01-01')).toBe('value\r\n');
  });

  test('the largest, and the others as one row', async () => {
    const { stdout } = await run(['usage', 'pulls', '--by', 'org', '--top', '1', '--data', data, '--format', 'csv']);
    expect(stdout).toBe('org,value,other\r\nexample.org,9007199254740993,\r\n,1241,true\r\n');
  });

  test.each([
    [['--top', '0'], 'top: expected a whole number from 1 to 10000, got "0"'],
    [['--distinct', 'org'], 'distinct: expected one of user, client, got "org"'],
    [
      ['--distinct', 'user'],
      'distinct: expected a dimension that is kept (org, arch, upstream, repository), got "user"',
    ],
    [['--by', 'tag'], 'by: expected dimensions that are kept (org, arch, upstream, repository), got "tag"'],
  ])('%j is wrong usage', async (flags, message) => {
    const { code, stderr } = await run(['usage', 'pulls', '--data', data, ...flags]);
    expect([code, stderr]).toEqual([2, `tonnage: ${message}\n`]);
  });

  test('a directory in which nothing has been counted', async () => {
    const { code, stderr } = await run(['usage', 'pulls', '--data', join(data, 'nope')]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^tonnage: .*ledger\.sqlite does not exist: nothing has been counted there yet\n$/);
  });
});

describe('from a running server', () => {
  const remote = (flags: readonly string[], environment: Record<string, string> = {}) =>
    run(['usage', 'pulls', '--by', 'org', '--url', server.url, ...flags], { environment });

  test('gives the same as the data directory', async () => {
    const formats = ['table', 'csv', 'json'].flatMap((format) => [
      ['--format', format],
      ['--format', format, '--top', '1'],
    ]);
    for (const flags of formats) {
      const there = await remote(['--user', 'a', ...flags], { TONNAGE_PASSWORD: 'pa:ss' });
      const here = await run(['usage', 'pulls', '--by', 'org', '--data', data, ...flags]);
      expect(there.stderr).toBe('');
      // A server does not say in which zone it counts its days.
      expect(there.stdout).toBe(here.stdout.replace(' (UTC)', ''));
    }
  });

  test('a bound user sees its own organisation', async () => {
    const { stdout } = await remote(['--user', 'bound', '--format', 'csv'], { TONNAGE_TOKEN: 'pa:ss' });
    expect(stdout).toBe('org,value\r\na.io,1234\r\n');
  });

  test.each([
    ['no credentials', [], {}, /^tonnage: http:\S+ responded with 401: .*\n$/],
    [
      'a wrong password',
      ['--user', 'a'],
      { TONNAGE_PASSWORD: 'wrong-secret' },
      /^tonnage: http:\S+ responded with 401: .*\n$/,
    ],
    ['a wrong token', [], { TONNAGE_TOKEN: 'wrong-secret' }, /^tonnage: http:\S+ responded with 401: .*\n$/],
  ])('%s', async (_title, flags, environment, message) => {
    const { code, stdout, stderr } = await remote(flags, environment);
    expect(stderr).toMatch(message);
    expect(stderr).not.toContain('wrong-secret');
    expect([code, stdout]).toEqual([1, '']);
  });
});

describe('from a server that is something else', () => {
  let other: Server | undefined;
  afterEach(() => void other?.close());

  async function serving(listener: RequestListener): Promise<string> {
    other = createServer(listener);
    await new Promise<void>((resolve) => other?.listen(0, '127.0.0.1', resolve));
    const address = other.address();
    return `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
  }

  test.each<[string, RequestListener, RegExp]>([
    ['HTML', (_request, response) => response.end('<html>'), /response is not from a Tonnage server/],
    [
      'other JSON',
      (_request, response) => response.end('{"from":1}'),
      /response is not from a Tonnage server: expected a day/,
    ],
    [
      'fractions',
      (_request, response) => response.end('{"from":"2026-01-01","to":"2026-01-02","rows":[],"total":1.5}'),
      /expected an integer/,
    ],
    [
      'control characters in a message, which are replaced',
      (_request, response) => response.writeHead(400).end('{"detail":"\\u001b[2Jfake\\nok"}'),
      /responded with 400: \uFFFD\[2Jfake\uFFFDok\n$/,
    ],
    ['an error page', (_request, response) => response.writeHead(502).end('<html>'), /responded with 502: Bad Gateway/],
    [
      'a redirect',
      (_request, response) => response.writeHead(302, { location: 'http://example.org' }).end(),
      /does not respond/,
    ],
    ['a broken answer', (_request, response) => response.destroy(), /does not respond/],
  ])('%s', async (_title, listener, message) => {
    const { code, stderr } = await run(['usage', 'pulls', '--url', await serving(listener)]);
    expect(stderr).toMatch(message);
    expect([code, stderr.split('\n').length]).toEqual([1, 2]);
  });

  test('a token comes from the environment or a file, and goes into no URL', async () => {
    const seen: (string | undefined)[] = [];
    const url = await serving((request, response) => {
      seen.push(request.headers.authorization, request.url);
      response.end('{"from":"2026-01-01","to":"2026-01-02","rows":[],"total":0}');
    });
    writeFileSync(join(data, 'token'), 'from-file\n');
    await run(['usage', 'pulls', '--url', `${url}/base/`], {
      environment: { TONNAGE_TOKEN_FILE: join(data, 'token') },
    });
    await run(['usage', 'pulls', '--url', url, '--limit', '5'], { environment: { TONNAGE_TOKEN: 'from-environment' } });
    expect(seen).toEqual([
      'Bearer from-file',
      `/base/api/v1/usage/pulls?limit=${limits.queryRowsMax}&format=json`,
      'Bearer from-environment',
      '/api/v1/usage/pulls?limit=5&format=json',
    ]);
    const { code, stderr } = await run(['usage', 'pulls', '--url', url], {
      environment: { TONNAGE_TOKEN_FILE: '/nope' },
    });
    expect([code, stderr]).toEqual([2, expect.stringMatching(/^tonnage: TONNAGE_TOKEN_FILE cannot be read: /)]);
  });

  test('a user that is named goes before a token, which is the password where there is none', async () => {
    const seen: (string | undefined)[] = [];
    const url = await serving((request, response) => {
      seen.push(request.headers.authorization);
      response.end('{"from":"2026-01-01","to":"2026-01-02","rows":[],"total":0}');
    });
    const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;
    const ask = (environment: Record<string, string>) =>
      run(['usage', 'pulls', '--url', url, '--user', 'a'], { environment });
    await ask({ TONNAGE_TOKEN: 'token', TONNAGE_PASSWORD: 'password' });
    await ask({ TONNAGE_TOKEN: 'token' });
    expect(seen).toEqual([basic('a:password'), basic('a:token')]);
  });

  test('a port at which no HTTP client asks is said to be one', async () => {
    const { code, stderr } = await run(['usage', 'pulls', '--url', 'http://127.0.0.1:1']);
    expect([code, stderr]).toEqual([
      1,
      'tonnage: http://127.0.0.1:1 does not respond: HTTP clients block this port, which is reserved for another protocol ' +
        '(Fetch Standard, "port blocking")\n',
    ]);
  });

  test('pages are put together for a table and CSV, and are what they are in JSON', async () => {
    const page = (org: string, next?: string): string =>
      JSON.stringify({ from: '2026-01-01', to: '2026-01-02', rows: [{ org, value: 1 }], total: 2, next });
    const cursor = formatCursor(parseUsageQuery('pulls', { by: 'org' }), 1);
    const url = await serving((request, response) => {
      const asked = new URL(request.url ?? '', 'http://x').searchParams.get('cursor');
      response.end(asked === cursor ? page('b.io') : page('a.io', cursor));
    });
    const ask = async (...flags: string[]): Promise<string> =>
      (await run(['usage', 'pulls', '--by', 'org', '--url', url, ...flags])).stdout;
    expect(await ask('--format', 'csv')).toBe('org,value\r\na.io,1\r\nb.io,1\r\n');
    const { stdout, stderr } = await run([
      'usage',
      'pulls',
      '--by',
      'org',
      '--url',
      url,
      '--format',
      'csv',
      '--limit',
      '1',
    ]);
    expect([stdout, stderr]).toEqual([
      'org,value\r\na.io,1\r\n',
      `tonnage: rows after these are omitted: continue with --cursor ${cursor}\n`,
    ]);
    expect(await ask('--format', 'json')).toBe(`${page('a.io', cursor)}\n`);
    expect(await ask('--format', 'json', '--cursor', cursor)).toBe(`${page('b.io')}\n`);
  });
});
