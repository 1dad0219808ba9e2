import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runProgram, startProgram } from './support/program.ts';

/** The package as somebody would install it: packed, installed without anything of the checkout, and run. */
const checkout = fileURLToPath(new URL('..', import.meta.url));
const packed = [
  'bin',
  'scripts',
  'src',
  'web',
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'tsconfig.build.json',
  'README.md',
  'LICENSE',
  'CHANGELOG.md',
  '.npmrc',
];
const env = { PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}` };

let directory: string;
let installed: string;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'tonnage-package-'));
  const copy = join(directory, 'copy');
  installed = join(directory, 'installed');
  mkdirSync(copy);
  mkdirSync(installed);
  // A copy, since packing changes package.json for a moment.
  for (const name of packed) cpSync(join(checkout, name), join(copy, name), { recursive: true });
  symlinkSync(join(checkout, 'node_modules'), join(copy, 'node_modules'));
  const pack = ['pack', '--pack-destination', directory, '--prefix', copy];
  await runProgram('npm', pack, { env, cwd: copy });
  writeFileSync(join(installed, 'package.json'), '{"private": true}\n');
  const { version } = JSON.parse(readFileSync(join(checkout, 'package.json'), 'utf8')) as { version: string };
  const install = ['install', '--ignore-scripts', '--no-audit', '--no-fund', join(directory, `tonnage-${version}.tgz`)];
  await runProgram('npm', [...install, '--prefix', installed], { env, cwd: installed });
}, 10 * 60_000);
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const command = (): string => join(installed, 'node_modules', '.bin', 'tonnage');

test('holds what it runs, and neither sources nor a Node.js', async () => {
  const listed = await runProgram('ls', [join(installed, 'node_modules', 'tonnage')]);
  expect(listed.stdout.split('\n').filter(Boolean)).toEqual([
    'CHANGELOG.md',
    'LICENSE',
    'README.md',
    'bin',
    'dist',
    'package.json',
    'web',
  ]);
  const modules = await runProgram('ls', [join(installed, 'node_modules')]);
  expect(modules.stdout).not.toMatch(/^node-|vitest|typescript/m);
});

test('answers its version', async () => {
  const { stdout } = await runProgram(command(), ['--version'], { env });
  expect(stdout).toMatch(/^\d+\.\d+\.\d+/);
});

test('serves, with its database workers and its dashboard, and stops', async () => {
  const args = ['serve', '--port', '0', '--metrics', '127.0.0.1:0', '--data', join(directory, 'data')];
  const server = startProgram(command(), args, env);
  const [line] = await server.until(/^\{.*"msg":"listening".*\}$/m);
  const { url, metricsUrl } = JSON.parse(line) as { url: string; metricsUrl: string };
  expect(await (await fetch(`${url}/readyz`)).json()).toMatchObject({ ready: true });
  expect(await (await fetch(`${url}/api/v1/usage/pulls`)).json()).toMatchObject({ total: 0 });
  expect(await (await fetch(url)).text()).toContain('<title>');
  expect(await (await fetch(metricsUrl)).text()).toContain('tonnage_build_info');
  expect(await server.stop()).toBe(0);
});
