import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { countedDirectory } from './testing/counted.ts';
import { run } from './testing/terminal.ts';

const redis = { driver: 'redis', url: 'redis://127.0.0.1:1' };
let directory: string;
let data: string;
let alone: string;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'tonnage-cli-'));
  data = await countedDirectory([{ meter: 'pulls', dimensions: { org: 'a.org' }, quantity: 7n }]);
  alone = `tonnage: these counts are only those of the ledger in ${data}`;
});
afterEach(() => {
  for (const made of [directory, data]) rmSync(made, { recursive: true });
});

/** Writes `tonnage.yaml` where the commands run. */
function configure(config: object, name = 'tonnage.yaml'): void {
  writeFileSync(join(directory, name), stringify(config));
}

const usage = (args: readonly string[], environment: Readonly<Record<string, string>> = { TONNAGE_DATA: data }) =>
  run(['usage', 'pulls', '--by', 'org', '--format', 'csv', ...args], { environment, workingDirectory: directory });

const counted = (stderr = '') => ({ code: 0, stdout: 'org,value\r\na.org,7\r\n', stderr });

test('a configuration with a Redis that is here and not read is told of', async () => {
  configure({ data, store: redis });
  const note = `${alone}; tonnage.yaml in this directory was not read; it keeps totals in a Redis: add --config tonnage.yaml to read those counts\n`;
  expect(await usage([])).toEqual(counted(note));
  expect(await usage(['--data', data], {})).toEqual(counted(note));
});

test('so is one that has its data elsewhere, unless this directory is asked for', async () => {
  const other = join(directory, 'other');
  const here = join(directory, 'data');
  cpSync(data, here, { recursive: true });
  configure({ data: other, store: redis }, 'tonnage.yml');
  const note =
    `tonnage: these counts are only those of the ledger in ${here}; tonnage.yml in this directory was not read; it has its data in ` +
    `${other} and keeps totals in a Redis: add --config tonnage.yml to read those counts\n`;
  expect(await usage([], {})).toEqual(counted(note));
  configure({ data: other }, 'tonnage.yml');
  expect(await usage([], {})).toEqual(counted(note.replace(' and keeps totals in a Redis', '')));
  expect(await usage(['--data', 'data'], {})).toEqual(counted());
});

test('where nothing was counted yet, a configuration that is here is told of', async () => {
  configure({ data });
  const nothing = `tonnage: ${join(directory, 'data', 'ledger.sqlite')} does not exist: nothing has been counted there yet`;
  const where =
    ": pass the server's data directory with --data, its configuration with --config, or query a server with --url";
  const stderr = `${nothing}${where}; tonnage.yaml in this directory is read only with --config tonnage.yaml\n`;
  expect(await usage([], {})).toEqual({ code: 1, stdout: '', stderr });
  expect(await usage(['--data', 'data'], {})).toEqual({ code: 1, stdout: '', stderr: `${nothing}\n` });
});

test('a ledger that delivers to a Redis says so by itself, until it was rebuilt without one', async () => {
  const ledger = new DatabaseSync(join(data, 'ledger.sqlite'));
  ledger.exec("insert into outbox_touch (meter, day, number) values ('pulls', 20000, 1)");
  ledger.close();
  const note = `${alone}; it delivers them to a Redis, which may have more: pass the server's configuration with --config, or query the server with --url\n`;
  expect(await usage([])).toEqual(counted(note));
  expect((await run(['ledger', 'rebuild', '--data', data])).code).toBe(0);
  expect(await usage([])).toEqual(counted());
});

test.each([
  ['says the same', {}],
  ['is not valid', { listn: 1, store: redis }],
])('nothing is told where the configuration that is here %s', async (_, config) => {
  configure({ ...config, data });
  expect(await usage([])).toEqual(counted());
});

test('nothing is told where the totals are asked for that it names', async () => {
  configure({ data, store: redis });
  const { code, stderr } = await usage(['--config', 'tonnage.yaml']);
  expect([code, stderr]).toEqual([1, expect.stringMatching(/^tonnage: .*127\.0\.0\.1:1/)]);
});
