import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { scaled } from '../support/long.ts';
import { freePort, runProgram, sleep, startProgram } from '../support/program.ts';
import { eventually } from '../support/redis.ts';
import { entry, startTonnage, tonnage, type Tonnage } from '../support/tonnage.ts';

/** `tonnage event send` against a server that is killed while it sends, and is away for a while. */
const directory = mkdtempSync(join(tmpdir(), 'tonnage-send-'));
const file = join(directory, 'events.jsonl');
const count = scaled(30_000, 600_000);

let port: number;
let server: Tonnage;
const start = (): Promise<Tonnage> => startTonnage(directory, { listen: `127.0.0.1:${port}`, upstreams: {} });

beforeAll(async () => {
  port = await freePort();
  server = await start();
  const lines = Array.from({ length: count }, (_, index) => {
    const data = { org: `org${index % 7}.example`, arch: index % 2 === 0 ? 'amd64' : 'arm64' };
    return JSON.stringify({ specversion: '1.0', type: 'tonnage.build', source: '/file', id: `${index}`, data });
  });
  writeFileSync(file, `${lines.join('\n')}\n`);
});
afterAll(async () => {
  await server.program.stop('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
});

const command = (): readonly string[] => ['event', 'send', file, '--url', `http://127.0.0.1:${port}`];

async function builds(): Promise<number> {
  const response = await fetch(`${server.url}/api/v1/usage/builds`);
  return ((await response.json()) as { total: number }).total;
}

test(
  'all events of a file count once, although the server is killed again and again',
  { timeout: scaled(300_000, 1_200_000) },
  async () => {
    await server.program.stop('SIGKILL');
    const sending = startProgram(process.execPath, [entry, ...command()]);
    await sending.until(/^tonnage: it does not respond: .*; retrying in [\d.]+ s$/m);
    server = await start();
    let ended = false;
    const closed = once(sending.child, 'close').finally(() => (ended = true));
    for (let kills = 0; kills < 3; kills++) {
      const before = await builds();
      await eventually('more of it has arrived, or all', async () => ended || (await builds()) > before, 120_000);
      await server.program.stop('SIGKILL');
      await sleep(300);
      server = await start();
    }
    expect((await closed)[0]).toBe(0);
    expect(sending.output()).toContain(`${count.toLocaleString('en')} events: `);
    expect(await builds()).toBe(count);
  },
);

test('a file that is sent again adds nothing', { timeout: scaled(180_000, 900_000) }, async () => {
  const { stdout } = await tonnage(command());
  expect(stdout).toMatch(
    new RegExp(`^${count.toLocaleString('en')} events: ${count.toLocaleString('en')} duplicate\n$`),
  );
  expect(await builds()).toBe(count);
});

test('on a terminal there is a bar', { timeout: scaled(180_000, 900_000) }, async () => {
  const line = [process.execPath, entry, ...command()].join(' ');
  const { stdout } = await runProgram('script', ['--quiet', '--return', '--command', line, '/dev/null']);
  expect(stdout).toMatch(/\r.*\[#*.*\] +\d+% {2}[\d,]+ of [\d,]+ bytes, [\d,]+ events/);
});
