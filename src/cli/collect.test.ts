import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { suitePostgres } from '../../test/support/postgres-suite.ts';
import { debusineSample, debusineSampleNow, debusineSchema } from '../collector/drivers/debusine/testing/database.ts';
import { parse } from '../exposition/index.ts';
import { run } from './testing/terminal.ts';

const postgres = suitePostgres();
const now = debusineSampleNow.toISOString();

let directory: string;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'tonnage-collect-'));
  const database = await postgres.server.createDatabase(debusineSchema, debusineSample);
  const dsn = postgres.server.dsn(database);
  const config = `sources:
  - { name: farm, driver: debusine, dsnFile: dsn, zeroFill: full }
  - { name: labelled, driver: debusine, dsn: "${dsn}", path: labelled, labels: { site: a } }
  - { name: gone, driver: debusine, dsn: "postgresql://u:hunter2@127.0.0.1:1/gone", path: gone }`;
  writeFileSync(join(directory, 'tonnage.yaml'), config);
  writeFileSync(join(directory, 'dsn'), `${dsn}\n`);
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const collect = (...argv: readonly string[]) =>
  run(['collect', ...argv, '--config', 'tonnage.yaml'], { workingDirectory: directory });

describe('tonnage collect', () => {
  test('prints all families of a source', async () => {
    const { code, stdout, stderr } = await collect('farm');
    expect([code, stderr]).toEqual([0, '']);
    const names = parse(stdout, { format: 'openmetrics' }).map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['artifacts', 'work_requests', 'file_store_size']));
    expect(new Set(names).size).toBe(names.length);
  });

  test('takes the time of --now for the current one', async () => {
    const at = async (time: string): Promise<string> => (await collect('farm', '--now', time)).stdout;
    const activity = (text: string) => text.split('\n').filter((line) => line.startsWith('user_activity_bucket'));
    const sample = await at(now);
    expect(await at(now)).toBe(sample);
    const later = await at(new Date(debusineSampleNow.getTime() + 400 * 86_400_000).toISOString());
    expect(activity(sample)).not.toEqual([]);
    expect(activity(later)).not.toEqual(activity(sample));
  });

  test('prints Prometheus text with --format text', async () => {
    const { stdout } = await collect('farm', '--format', 'text', '--now', now);
    expect(stdout).not.toContain('# EOF');
    expect(parse(stdout, { format: 'text' }).length).toBeGreaterThan(10);
  });

  test('adds the labels of the source', async () => {
    const { stdout } = await collect('labelled');
    const series = stdout.split('\n').filter((line) => /^\w/.test(line));
    expect(series.length).toBeGreaterThan(10);
    expect(series.filter((line) => !line.includes('site="a"'))).toEqual([]);
  });

  test('needs no data directory and makes none', async () => {
    await collect('farm');
    expect(readdirSync(directory).toSorted()).toEqual(['dsn', 'tonnage.yaml']);
  });
});

describe('tonnage collect fails', () => {
  test('with 1 if the source cannot be read, without its secrets', async () => {
    const { code, stdout, stderr } = await collect('gone');
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^tonnage: gone: .+\n$/);
    expect(stderr).not.toContain('hunter2');
  });

  test('with 3 for an unknown source, and names the sources', async () => {
    expect(await collect('farn')).toEqual({
      code: 3,
      stdout: '',
      stderr: 'tonnage: expected the name of a source (farm, labelled, gone), got "farn"; did you mean "farm"?\n',
    });
  });

  test('with 3 without sources, and names the configuration that it did not read', async () => {
    const { code, stderr } = await run(['collect', 'farm'], { workingDirectory: directory });
    expect([code, stderr]).toEqual([
      3,
      'tonnage: the configuration has no sources; tonnage.yaml in this directory is read only with --config tonnage.yaml\n',
    ]);
  });

  test.each([
    [['farm', '--now', '2026-01-15'], 'Expected a time such as 2026-01-15T12:00:00Z.'],
    [['farm', '--format', 'json'], 'Allowed choices are openmetrics, text.'],
    [[], "missing required argument 'source'"],
  ])('with 2 for %j', async (argv, message) => {
    const { code, stderr } = await collect(...argv);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
  });
});
