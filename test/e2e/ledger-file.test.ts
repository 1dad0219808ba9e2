import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startDockerUpstream } from '../support/docker-upstream.ts';
import { layer, pushImage } from '../support/images.ts';
import { runProgram, sleep, startProgram } from '../support/program.ts';
import { entry, startTonnage, tonnage, type Tonnage } from '../support/tonnage.ts';

let directory: string;
let data: string;
let file: string;
let server: Tonnage | undefined;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tonnage-e2e-'));
  data = join(directory, 'data');
  file = join(data, 'ledger.sqlite');
});
afterEach(async () => {
  await server?.program.stop('SIGKILL');
  server = undefined;
  rmSync(directory, { recursive: true, force: true });
});

/** Makes a ledger that has counted events, and leaves it without a server. */
async function counted(events = 300): Promise<void> {
  server = await startTonnage(directory, { upstreams: {} });
  for (let first = 0; first < events; first += 1_000) {
    const batch = Array.from({ length: Math.min(1_000, events - first) }, (_, index) => ({
      specversion: '1.0',
      type: 'tonnage.build',
      source: 'test',
      id: String(first + index),
      data: { org: 'a.example', repository: `r${first + index}` },
    }));
    const answer = await fetch(`${server.url}/api/v1/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/cloudevents-batch+json' },
      body: JSON.stringify(batch),
    });
    expect(answer.status).toBe(200);
    await answer.arrayBuffer();
  }
  await server.program.stop();
}

async function total(): Promise<string> {
  return (await tonnage(['--data', data, 'usage', 'builds', '--format', 'json'])).stdout;
}

/** What a command that fails says, or a start. */
async function refusal(...args: readonly string[]): Promise<string> {
  const { stdout, stderr } = await tonnage(['--data', data, ...args], { expected: 1 });
  return stdout + stderr;
}

const start = ['serve', '--host', '127.0.0.1', '--port', '0'];

/** Overwrites the beginning of all pages but the first. */
function spoil(): void {
  const descriptor = openSync(file, 'r+');
  const pageBytes = 4_096;
  for (let at = pageBytes; at < statSync(file).size; at += pageBytes)
    writeSync(descriptor, Buffer.alloc(200, 0xa5), 0, 200, at);
  closeSync(descriptor);
}

describe('a damaged ledger', () => {
  test('is named with what helps by a start and by commands; a backup of it is refused, a restore helps', async () => {
    await counted();
    const backup = join(directory, 'backup.sqlite');
    await tonnage(['--data', data, 'ledger', 'backup', backup]);
    spoil();
    const damaged = `${file} is damaged (`;
    const remedy = 'tonnage ledger restore puts a backup in its place';
    for (const args of [start, ['usage', 'builds'], ['ledger', 'rebuild'], ['token', 'list']]) {
      const said = await refusal(...args);
      expect(said).toContain(damaged);
      expect(said).toContain(remedy);
    }
    const checked = await refusal('ledger', 'check');
    expect(checked).toContain(`${file} is damaged: `);
    expect(checked).toContain('tonnage ledger rebuild does not mend all of that; tonnage ledger restore puts a backup');
    const copy = join(directory, 'copy.sqlite');
    expect(await refusal('ledger', 'backup', copy)).toContain(damaged);
    expect(existsSync(copy)).toBe(false);
    expect((await tonnage(['--data', data, 'ledger', 'restore', backup])).stdout).toContain(`${file}.replaced`);
    expect(await total()).toContain('"total":300');
  });
});

describe('a ledger of 0 bytes', () => {
  test('is never taken for a new one, and is replaced by a backup', async () => {
    await counted();
    const backup = join(directory, 'backup.sqlite');
    await tonnage(['--data', data, 'ledger', 'backup', backup]);
    truncateSync(file);
    const commands = [
      start,
      ['usage', 'builds'],
      ['ledger', 'check'],
      ['ledger', 'backup', join(directory, 'copy.sqlite')],
      ['ledger', 'rebuild'],
      ['ledger', 'erase', '--org', 'a.example', '--yes'],
      ['token', 'list'],
      ['token', 'create'],
    ];
    for (const args of commands) {
      const said = await refusal(...args);
      expect(said).toContain(`${file} is empty (0 bytes)`);
      expect(said).toContain('tonnage ledger restore puts a backup in its place');
    }
    expect(statSync(file).size).toBe(0);
    expect(await refusal('ledger', 'restore', file)).toContain(`${file} is empty (0 bytes), so it is no backup`);
    await tonnage(['--data', data, 'ledger', 'restore', backup]);
    expect(await total()).toContain('"total":300');
    expect(statSync(`${file}.replaced`).size).toBe(0);
  });
});

/** Runs a command in a mount namespace of its own, in which the data directory is on a read-only file system. */
function readOnly(
  args: readonly string[],
  expected: number,
): Promise<{ readonly stdout: string; readonly stderr: string }> {
  const script = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec "$@"';
  const namespace = ['--mount', '--propagation', 'private', ...(process.getuid?.() === 0 ? [] : ['--map-root-user'])];
  const program = [process.execPath, entry, '--data', data, ...args];
  return runProgram('unshare', [...namespace, 'sh', '-c', script, data, ...program], { expected });
}

const canMount = await runProgram('unshare', [
  '--mount',
  ...(process.getuid?.() === 0 ? [] : ['--map-root-user']),
  'true',
]).then(
  () => true,
  () => false,
);

// A kernel may forbid users to have namespaces of their own.
test.skipIf(!canMount)(
  'a read-only file system is called that, and the ledger on it is not called damaged',
  async () => {
    await counted();
    for (const args of [
      start,
      ['usage', 'builds'],
      ['ledger', 'check'],
      ['ledger', 'backup', join(directory, 'copy')],
    ]) {
      const { stdout, stderr } = await readOnly(args, 1);
      expect(stderr).toContain(`${file} cannot be opened: the file system is read-only; `);
      expect(stderr).toContain(`make ${data} writable`);
      expect(stdout + stderr).not.toMatch(/damaged|malformed|rebuild|restore/);
    }
    const restored = await readOnly(['ledger', 'restore', file], 1);
    expect(restored.stderr).toContain('the file system is read-only');
    expect((await tonnage(['--data', data, 'ledger', 'check'])).stdout).toBe('ok\n');
  },
);

test('a backup that is interrupted, or finds no room, leaves nothing under its name, and can be run again', async () => {
  await counted(20_000);
  const backups = join(directory, 'backups');
  mkdirSync(backups);
  const backup = join(backups, 'backup.sqlite');
  const args = ['--data', data, 'ledger', 'backup', backup];
  for (const delayMs of [0, 5, 10, 20]) {
    const program = startProgram(process.execPath, [entry, ...args]);
    while (readdirSync(backups).length === 0 && program.child.exitCode === null) await sleep(1);
    await sleep(delayMs);
    await program.stop('SIGKILL');
    if (existsSync(backup)) await expectWhole(backup);
    rmSync(backup, { force: true });
  }
  const full = await runProgram('prlimit', [`--fsize=${statSync(file).size >> 1}`, process.execPath, entry, ...args], {
    expected: 1,
  });
  expect(full.stderr).toContain(`${backup}: disk I/O error: `);
  expect(existsSync(backup)).toBe(false);
  await tonnage(args);
  await expectWhole(backup);
  expect(statSync(backup).mode & 0o777).toBe(0o600);
  expect(readdirSync(backups)).toEqual(['backup.sqlite']);
}, 300_000);

async function expectWhole(backup: string): Promise<void> {
  const other = mkdtempSync(join(directory, 'other-'));
  await tonnage(['--data', other, 'ledger', 'restore', backup]);
  const { stdout } = await tonnage(['--data', other, 'usage', 'builds', '--format', 'json']);
  expect(stdout).toContain('"total":20000');
}

test('files are for this user alone, also in a directory that is open to all, with any umask, and after older releases', async () => {
  const upstream = await startDockerUpstream(directory);
  try {
    const image = await pushImage(upstream.url, 'app', 'v1', { architecture: 'amd64', layers: [layer(100_000)] });
    mkdirSync(join(data, 'cache', 'blobs', 'sha256'), { recursive: true });
    const older = ['lock', 'tonnage.sock', 'ledger.sqlite.before-migrate'];
    for (const name of older) writeFileSync(join(data, name), '', { mode: 0o644 });
    for (const name of ['', 'lock', 'cache', 'cache/blobs', 'cache/blobs/sha256']) chmodSync(join(data, name), 0o777);
    const node = join(directory, 'lax-node');
    writeFileSync(node, `#!/bin/sh\numask 000\nexec ${process.execPath} "$@"\n`, { mode: 0o755 });
    server = await startTonnage(directory, { upstreams: { lab: { url: upstream.url } } }, node);
    const { url, program } = server;
    await (await fetch(`${url}/v2/lab/app/manifests/v1`)).arrayBuffer();
    await (await fetch(`${url}/v2/lab/app/blobs/${image.layers[0]?.digest}`)).arrayBuffer();
    expectClosed([
      'catalog.sqlite',
      'catalog.sqlite-wal',
      'ledger.sqlite',
      'ledger.sqlite-shm',
      'lock',
      'tonnage.sock',
    ]);
    await program.stop();
    chmodSync(file, 0o666);
    await tonnage(['--data', data, 'token', 'create', '--name', 'x']);
    await tonnage(['--data', data, 'ledger', 'backup', join(data, 'backup.sqlite')]);
    await tonnage(['--data', data, 'ledger', 'restore', join(data, 'backup.sqlite')]);
    expectClosed(['backup.sqlite', 'ledger.sqlite', 'ledger.sqlite.replaced']);
  } finally {
    await upstream.stop();
  }
});

/** Nothing below the data directory is open to other users, and files of these names are there. */
function expectClosed(names: readonly string[]): void {
  const found = readdirSync(data, { recursive: true, encoding: 'utf8' });
  expect(found.map((path) => path.split('/').at(-1))).toEqual(expect.arrayContaining([...names]));
  const open = found.filter((path) => (statSync(join(data, path)).mode & 0o077) !== 0);
  expect(open).toEqual([]);
}
