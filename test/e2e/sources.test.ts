import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { debusineSample, debusineSchema } from '../../src/collector/drivers/debusine/testing/database.ts';
import { parse } from '../../src/exposition/index.ts';
import { suitePostgres } from '../support/postgres-suite.ts';
import { startTonnage, tonnage, type Tonnage } from '../support/tonnage.ts';

const directory = mkdtempSync(join(tmpdir(), 'tonnage-sources-'));
const postgres = suitePostgres();
const secret = 'hunter2-of-the-dsn';
const endpoint = '/api/1.0/open-metrics/';

let server: Tonnage;
beforeAll(async () => {
  const database = await postgres.server.createDatabase(debusineSchema, debusineSample);
  const { port, socketDirectory } = postgres.server;
  writeFileSync(join(directory, 'dsn'), `postgresql://postgres:${secret}@127.0.0.1:${port}/${database}\n`);
  const broken = (path: string, dsn: string) => ({ name: path, driver: 'debusine', path, dsn, interval: '1s' });
  const sources = [
    { name: 'farm', driver: 'debusine', dsnFile: 'dsn', labels: { site: 'a' }, interval: '1s' },
    {
      name: 'socket',
      driver: 'debusine',
      dsn: `postgresql://postgres:${secret}@/${database}?host=${socketDirectory}&port=${port}`,
      path: 'socket',
    },
    broken('nowhere', `postgresql://u:${secret}@127.0.0.1:1/db`),
    broken('no-database', `postgresql://postgres:${secret}@127.0.0.1:${port}/absent`),
    broken('no-role', `postgresql://absent:${secret}@127.0.0.1:${port}/${database}`),
    broken('no-tables', `postgresql://postgres:${secret}@127.0.0.1:${port}/postgres`),
    broken('no-file', `postgresql://postgres:${secret}@127.0.0.1:${port}/${database}?sslrootcert=/absent`),
  ];
  server = await startTonnage(directory, { sources, log: { level: 'debug', access: true } });
});
afterAll(async () => {
  await server.program.stop('SIGTERM');
  rmSync(directory, { recursive: true, force: true });
});

const statuses = async (): Promise<readonly { readonly name: string; readonly up: boolean | null }[]> => {
  const response = await fetch(`${server.url}/api/v1/sources`);
  return (JSON.parse(await response.text()) as { sources: { name: string; up: boolean | null }[] }).sources;
};
async function allRead(): Promise<void> {
  // A scrape reads the source of the process itself.
  await server.metrics();
  await vi.waitFor(async () => expect((await statuses()).every(({ up }) => up !== null)).toBe(true), 30_000);
}

describe('the sources of a configuration', () => {
  test('are read by the server, and one that fails costs only itself', async () => {
    await allRead();
    expect((await statuses()).map(({ name, up }) => [name, up])).toEqual([
      ['runtime', true],
      ['farm', true],
      ['socket', true],
      ['nowhere', false],
      ['no-database', false],
      ['no-role', false],
      ['no-tables', false],
      ['no-file', false],
    ]);
  });

  test('with pages are only there, with their labels', async () => {
    await allRead();
    const page = await (await fetch(`${server.url}${endpoint}`)).text();
    const series = page.split('\n').filter((line) => /^\w/.test(line));
    expect(series.length).toBeGreaterThan(10);
    expect(series.filter((line) => !line.includes('site="a"'))).toEqual([]);
    expect((await fetch(`${server.url}${endpoint}socket/`)).status).toBe(200);
    expect((await fetch(`${server.url}${endpoint}nowhere/`)).status).toBe(503);
    const names = parse(await server.metrics(), { format: 'openmetrics' }).map(({ name }) => name);
    expect(names).toContain('tonnage_source_up');
    expect(names).not.toContain('artifacts');
  });

  test('keep their DSN secret', async () => {
    await allRead();
    const file = join(directory, 'tonnage.yaml');
    const shown = [
      await server.metrics(),
      JSON.stringify(await statuses()),
      (await tonnage(['config', 'print', '--config', file])).stdout,
      (await tonnage(['config', 'check', '--config', file])).stdout,
      ...(await Promise.all(['', 'nowhere/'].map(async (path) => (await fetch(server.url + endpoint + path)).text()))),
      ...(await Promise.all(
        ['nowhere', 'no-database', 'no-role', 'no-tables', 'no-file'].map(async (name) => {
          const { stdout, stderr } = await tonnage(['collect', name, '--config', file], { expected: 1 });
          expect([stdout, stderr]).toEqual(['', expect.stringMatching(new RegExp(`^tonnage: ${name}: .+\\n$`))]);
          return stderr;
        }),
      )),
      server.program.output(),
    ];
    expect(readFileSync(file, 'utf8')).toContain(secret);
    for (const text of shown) expect(text).not.toContain(secret);
  });
});
