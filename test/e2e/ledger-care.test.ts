import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startDockerUpstream, type DockerUpstream } from '../support/docker-upstream.ts';
import { layer, pushImage } from '../support/images.ts';
import { startTonnage, tonnage, type Tonnage } from '../support/tonnage.ts';

let directory: string;
let upstream: DockerUpstream;
let server: Tonnage;
let ledger: readonly string[];

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'tonnage-e2e-'));
  upstream = await startDockerUpstream(directory);
  await pushImage(upstream.url, 'app', 'v1', { architecture: 'amd64', layers: [layer(100)] });
  await pushImage(upstream.url, 'app', 'v2', { architecture: 's390x', layers: [layer(100)] });
  await start();
  ledger = ['--data', join(directory, 'data'), 'ledger'];
});
afterEach(async () => {
  await server.program.stop('SIGKILL');
  await upstream.stop();
  rmSync(directory, { recursive: true, force: true });
});

async function start(): Promise<void> {
  server = await startTonnage(directory, { upstreams: { lab: { url: upstream.url } } });
}

async function pull(tag: string): Promise<void> {
  await (await fetch(`${server.url}/v2/lab/app/manifests/${tag}`)).arrayBuffer();
}

test('a backup of a running server holds what was counted, and can be put back', async () => {
  await pull('v1');
  await pull('v2');
  expect((await tonnage([...ledger, 'check'])).stdout).toBe('ok\n');
  const backup = join(directory, 'backup.sqlite');
  await tonnage([...ledger, 'backup', backup]);
  expect((await tonnage([...ledger, 'backup', backup], { expected: 1 })).stderr).toMatch(/exists already/);
  await pull('v1');
  expect((await server.pulls()).total).toBe(3);
  expect((await tonnage([...ledger, 'restore', backup], { expected: 1 })).stderr).toMatch(/locked by another/);

  await server.program.stop();
  const restored = await tonnage([...ledger, 'restore', backup]);
  expect(restored.stdout).toMatch(/the replaced ledger is kept as .*ledger\.sqlite\.replaced/);
  await start();
  expect((await server.pulls('by=arch')).rows).toEqual([
    { arch: 'amd64', value: 1 },
    { arch: 's390x', value: 1 },
  ]);
  await pull('v1');
  expect((await server.pulls()).total).toBe(3);
});

test('sums that do not agree are found and mended; damage and strangers are refused', async () => {
  await pull('v1');
  await pull('v2');
  await server.program.stop();
  const file = join(directory, 'data', 'ledger.sqlite');
  const spoilt = new DatabaseSync(file);
  spoilt.exec('update account_month set value = value + 5; delete from account_day');
  spoilt.close();
  const found = await tonnage([...ledger, 'check'], { expected: 1 });
  expect(found.stdout).toMatch(/^account_day: /m);
  expect(found.stdout).toMatch(/^account_month: /m);
  expect((await tonnage([...ledger, 'rebuild'])).stdout).toBe('ok\n');
  expect((await tonnage([...ledger, 'check'])).stdout).toBe('ok\n');
  await start();
  expect((await server.pulls()).total).toBe(2);

  const stranger = join(directory, 'stranger.sqlite');
  const other = new DatabaseSync(stranger);
  other.exec('create table a (b)');
  other.close();
  const noDatabase = join(directory, 'text.sqlite');
  writeFileSync(noDatabase, 'no database at all, though long enough for the header of one '.repeat(20));
  await server.program.stop();
  for (const [name, reason] of [
    [stranger, /no ledger/],
    [noDatabase, /damaged/],
    [join(directory, 'absent'), /does not exist/],
  ] as const) {
    expect((await tonnage([...ledger, 'restore', name], { expected: 1 })).stderr).toMatch(reason);
  }
  expect((await tonnage([...ledger, 'check'])).stdout).toBe('ok\n');
});
