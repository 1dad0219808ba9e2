import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { suitePostgres } from '../../test/support/postgres-suite.ts';
import { debusineSample, debusineSchema } from '../collector/drivers/debusine/testing/database.ts';
import { run } from './testing/terminal.ts';

const postgres = suitePostgres();
const optional =
  'artifact_file_size,artifact_file_counts,artifact_file_sizes,collection_sizes,tokens_last_seen,task_execution_times';
/** A name that must be quoted. */
const role = 'met"rics; --';
/** The tables of a real Debusine have such columns too. */
const secretColumns = `
  ALTER TABLE db_token ADD hash text DEFAULT 'hunter2';
  ALTER TABLE db_filestore ADD configuration jsonb DEFAULT '{}';`;

let directory: string;
let database: string;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'tonnage-debusine-cli-'));
  database = await postgres.server.createDatabase(debusineSchema, debusineSample, secretColumns);
  await postgres.server.sql('postgres', `CREATE ROLE "met""rics; --" LOGIN; CREATE ROLE other LOGIN`);
  const dsn = postgres.server.dsn(database, encodeURIComponent(role));
  const families = Object.fromEntries(optional.split(',').map((name) => [name, true]));
  const sources = [
    { name: 'farm', driver: 'debusine', dsn, families },
    { name: 'lab', driver: 'debusine', dsn, path: 'lab' },
  ];
  writeFileSync(join(directory, 'tonnage.yaml'), JSON.stringify({ sources }));
  writeFileSync(join(directory, 'owner.dsn'), `${postgres.server.dsn(database)}\n`);
  writeFileSync(join(directory, 'empty.dsn'), '\n');
  writeFileSync(join(directory, 'wrong.dsn'), 'host=127.0.0.1 password=hunter2');
  writeFileSync(join(directory, 'other.dsn'), postgres.server.dsn(database, 'other'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const tonnage = (...argv: readonly string[]) => run([...argv], { workingDirectory: directory });
const withConfig = (...argv: readonly string[]) => tonnage(...argv, '--config', 'tonnage.yaml');
const collected = async (): Promise<string> => {
  const { code, stdout, stderr } = await withConfig('collect', 'farm', '--now', '2026-06-15T08:30:00Z');
  expect([code, stderr]).toEqual([0, '']);
  // The database returns groups in any order.
  return stdout.split('\n').toSorted().join('\n');
};

describe('tonnage debusine grants', () => {
  test('prints the rights with which a role can read all families, and nothing else', async () => {
    const before = await withConfig('collect', 'farm');
    expect([before.code, before.stdout]).toEqual([1, '']);
    expect(before.stderr).toMatch(/^tonnage: farm: the role may not read \(db_/);

    const { code, stdout, stderr } = await withConfig('debusine', 'grants', 'farm', '--role', role);
    expect([code, stderr]).toEqual([0, '']);
    await postgres.server.sql(database, stdout);
    for (const family of optional.split(',')) expect(await collected()).toContain(`# TYPE ${family} `);

    const refused = ['SELECT hash FROM db_token', 'SELECT configuration FROM db_filestore', 'DELETE FROM db_token'];
    for (const statement of refused) {
      await expect(postgres.server.sql(database, statement, encodeURIComponent(role))).rejects.toThrow(
        /permission denied/,
      );
    }
  });

  test('says how to create the role, in comments', async () => {
    const { stdout } = await tonnage('debusine', 'grants', '--role', role);
    const comments = stdout.split('\n').filter((line) => line.startsWith('--'));
    const create = comments.flatMap((line) => /^-- +(CREATE ROLE .*;)$/.exec(line)?.[1] ?? []).join('');
    expect(create).toContain('CREATE ROLE "met""rics; --" LOGIN');
    await postgres.server.sql('postgres', create.replace('met""rics', 'new""metrics'));
  });

  test('prints those of Debusine itself without a source, and adds the families of --families', async () => {
    const plain = await tonnage('debusine', 'grants');
    expect(plain.stdout).toContain('GRANT SELECT (id, name) ON public.db_scope TO "tonnage";');
    expect(plain.stdout).not.toContain('db_fileinartifact');
    const more = await tonnage('debusine', 'grants', '--families', 'artifact_file_size');
    expect(more.stdout).toContain('GRANT SELECT (artifact_id, file_id) ON public.db_fileinartifact TO "tonnage";');
  });

  test.each([
    [['--families', 'artifact_sizes'], 2, 'expected some of artifact_file_size, '],
    [['--role', ''], 2, '--role: expected the name of a role'],
    [['--role', 'a\nDROP ROLE b;'], 2, '--role: expected the name of a role, without control characters'],
    [['--config', 'tonnage.yaml'], 2, 'expected the name of a source (farm, lab)'],
    [['fram', '--config', 'tonnage.yaml'], 3, 'got "fram"; did you mean "farm"?'],
  ])('refuses %j', async (argv, code, message) => {
    const result = await tonnage('debusine', 'grants', ...argv);
    expect([result.code, result.stdout]).toEqual([code, '']);
    expect(result.stderr).toContain(message);
  });
});

describe('tonnage debusine install-summary', () => {
  const hasSummary = () => postgres.server.sql(database, `SELECT to_regclass('tonnage.file_sizes') IS NOT NULL`);

  test('installs a summary that the source reads, and removes it', async () => {
    const from = await collected();
    const { code, stderr } = await tonnage('debusine', 'install-summary', '--dsn-file', 'owner.dsn');
    expect([code, stderr]).toEqual([0, 'tonnage: the summary is installed\n']);
    expect(await hasSummary()).toBe('t');
    const grants = await withConfig('debusine', 'grants', 'farm', '--role', role, '--summary');
    await postgres.server.sql(database, grants.stdout);
    expect(await collected()).toBe(from);
    await postgres.server.sql(database, 'UPDATE tonnage.file_sizes SET bytes = bytes + 1');
    expect(await collected()).not.toBe(from);

    const removed = await tonnage('debusine', 'install-summary', '--dsn-file', 'owner.dsn', '--remove');
    expect([removed.code, removed.stderr]).toEqual([0, 'tonnage: the summary is removed\n']);
    expect(await hasSummary()).toBe('f');
    expect(await collected()).toBe(from);
  });

  test('prints what psql can run', async () => {
    const install = await tonnage('debusine', 'install-summary', '--print');
    await postgres.server.sql(database, install.stdout);
    expect(await hasSummary()).toBe('t');
    const remove = await tonnage('debusine', 'install-summary', '--print', '--remove');
    await postgres.server.sql(database, remove.stdout);
    expect(await hasSummary()).toBe('f');
  });

  test('waits for a transaction that holds a lock', async () => {
    const holder = postgres.server.sql(database, 'BEGIN; UPDATE db_file SET size = size; SELECT pg_sleep(1.5); COMMIT');
    const { code } = await tonnage('debusine', 'install-summary', '--dsn-file', 'owner.dsn');
    await holder;
    expect([code, await hasSummary()]).toEqual([0, 't']);
    await tonnage('debusine', 'install-summary', '--dsn-file', 'owner.dsn', '--remove');
  });

  test.each([
    [['--dsn-file', 'other.dsn'], 1, 'expected a role that owns the tables of Debusine, or a superuser'],
    [['--dsn-file', 'wrong.dsn'], 1, 'expected a URL such as "postgresql://'],
    [['--dsn-file', 'missing.dsn'], 2, '--dsn-file: missing.dsn cannot be read: there is no such file or directory'],
    [['--dsn-file', 'empty.dsn'], 1, 'expected a URL such as "postgresql://'],
    [[], 2, 'expected a Debusine source in the configuration, or --dsn-file, or --print'],
  ])('refuses %j', async (argv, code, message) => {
    const result = await tonnage('debusine', 'install-summary', ...argv);
    expect([result.code, result.stdout]).toEqual([code, '']);
    expect(result.stderr).toContain(message);
    expect(result.stderr).not.toMatch(/127\.0\.0\.1|hunter2/);
    expect(await hasSummary()).toBe('f');
  });
});
