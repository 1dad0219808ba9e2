import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { PassThrough } from 'node:stream';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { systemClock, systemRandom } from '../base/index.ts';
import { Pseudonyms } from '../usage/index.ts';
import { runCli } from './program.ts';
import { countedDirectory } from './testing/counted.ts';
import { run } from './testing/terminal.ts';

let directory: string;
let data: string;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'tonnage-cli-'));
  const pull = (org: string, arch: string) => ({ meter: 'pulls', dimensions: { org, arch }, quantity: 1n });
  data = await countedDirectory([pull('a.example', 'amd64'), pull('a.example', 'arm64'), pull('b.example', 'amd64')]);
});
afterEach(() => {
  for (const made of [directory, data]) rmSync(made, { recursive: true, force: true });
});

const ledger = (...args: readonly string[]) => run(['--data', data, 'ledger', ...args]);
const organisations = async () =>
  (await run(['--data', data, 'usage', 'pulls', '--by', 'org', '--format', 'csv'])).stdout
    .trim()
    .split('\r\n')
    .slice(1);

function ledgerHashKey(): Uint8Array {
  const file = new DatabaseSync(join(data, 'ledger.sqlite'), { readOnly: true });
  try {
    const key = file.prepare('select hash_key from ledger').get()?.['hash_key'];
    return key instanceof Uint8Array ? key : new Uint8Array();
  } finally {
    file.close();
  }
}

/** Runs `ledger erase` for somebody who answers with `answer` at a terminal. */
async function eraseAtTerminal(answer: string): Promise<{ readonly code: number; readonly said: string }> {
  let said = '';
  const input = Object.assign(new PassThrough(), { isTTY: true });
  input.write(answer);
  const code = await runCli(['--data', data, 'ledger', 'erase', '--org', 'a.example'], {
    environment: {},
    workingDirectory: directory,
    input,
    out: () => undefined,
    say: (text) => void (said += text),
    onSignals: () => () => undefined,
    end: () => undefined,
    clock: systemClock,
    random: systemRandom,
    version: '1.2.3',
  });
  return { code, said };
}

describe('tonnage ledger erase', () => {
  test.each([
    [[], 'tonnage: expected one of --org and --user\n'],
    [['--org', 'a.example', '--user', 'u'], 'tonnage: expected one of --org and --user\n'],
    [['--org', ''], "tonnage: expected a name to erase, got ''\n"],
    [['--user', '__other__'], "tonnage: expected a name to erase, got '__other__'\n"],
  ])('%j is no way to ask', async (args, stderr) => {
    expect(await ledger('erase', ...args)).toEqual({ code: 2, stdout: '', stderr });
  });

  test('says what it will do, and does nothing unless somebody says so', async () => {
    const plan =
      'tonnage: 2 pulls (2 sums of 2 series) of the organisation a.example will count for no organisation, and the name will ' +
      'be erased. This cannot be undone.\n';
    const unasked = await ledger('erase', '--org', 'a.example');
    expect(unasked).toMatchObject({ code: 2, stdout: '' });
    expect(unasked.stderr).toBe(`${plan}tonnage: standard input is not a terminal: add --yes to continue\n`);
    expect(await eraseAtTerminal('y\n')).toMatchObject({ code: 1, said: expect.stringContaining('nothing was done') });
    expect(await organisations()).toEqual(['a.example,2', 'b.example,1']);
    expect(await eraseAtTerminal('yes\n')).toMatchObject({ code: 0, said: expect.stringContaining(plan) });
    expect(await organisations()).toEqual([',2', 'b.example,1']);
  });

  test('says what each meter has counted in its own unit', async () => {
    const dimensions = { org: 'a.example' };
    const mixed = await countedDirectory([
      { meter: 'pulls', dimensions, quantity: 2n },
      { meter: 'egress_bytes', dimensions, quantity: 2_002_130n },
    ]);
    const { stderr } = await run(['--data', mixed, 'ledger', 'erase', '--org', 'a.example']);
    rmSync(mixed, { recursive: true, force: true });
    expect(stderr).toMatch(
      /^tonnage: 2,002,130 By of egress_bytes, 2 pulls \(2 sums of 2 series\) of the organisation a\.example/,
    );
  });

  test('with --yes asks nobody', async () => {
    expect(await ledger('erase', '--org', 'b.example', '--yes')).toMatchObject({ code: 0, stdout: 'ok\n' });
    expect(await organisations()).toEqual(['a.example,2', ',1']);
  });
});

describe('a name that the ledger does not know', () => {
  test.each([
    [['--org', 'typo.example'], 'the organisation typo.example'],
    [['--org', 'typo.example', '--yes'], 'the organisation typo.example'],
    [['--user', 'nobody', '--yes'], 'the user nobody'],
  ])('%j is said, has an exit code of its own, and changes nothing', async (args, whom) => {
    expect(await ledger('erase', ...args)).toEqual({
      code: 3,
      stdout: '',
      stderr: `tonnage: the ledger in ${data} does not know ${whom}: nothing was done\n`,
    });
    expect(await organisations()).toEqual(['a.example,2', 'b.example,1']);
    expect(readdirSync(data).filter((name) => name.includes('erasing'))).toEqual([]);
  });

  test('is one that was erased before', async () => {
    expect(await ledger('erase', '--org', 'A.Example', '--yes')).toMatchObject({ code: 0, stdout: 'ok\n' });
    expect(await ledger('erase', '--org', 'a.example', '--yes')).toMatchObject({ code: 3, stdout: '' });
    expect(await organisations()).toEqual([',2', 'b.example,1']);
  });

  test('is known as long as a run for it that was broken off has not been ended', async () => {
    // As a run leaves it that is killed before the file is written anew.
    await ledger('erase', '--org', 'a.example', '--yes');
    const mark = new Pseudonyms(ledgerHashKey()).of('erased org', 'a.example');
    writeFileSync(join(data, 'ledger.sqlite.erasing'), `${mark}\n`);
    expect(await ledger('check')).toEqual({
      code: 0,
      stdout: 'ok\n',
      stderr: 'tonnage: tonnage ledger erase was broken off for one name: run it again, as it was\n',
    });
    expect(await ledger('erase', '--org', 'b.example', '--yes')).toMatchObject({ code: 0 });
    const unasked = await ledger('erase', '--org', 'A.EXAMPLE');
    expect([unasked.code, unasked.stderr]).toEqual([
      2,
      expect.stringContaining('The remains elsewhere, or of an interrupted run'),
    ]);
    expect(await ledger('erase', '--org', 'A.EXAMPLE', '--yes')).toMatchObject({ code: 0, stdout: 'ok\n' });
    expect(await ledger('check')).toEqual({ code: 0, stdout: 'ok\n', stderr: '' });
    expect(await ledger('erase', '--org', 'a.example', '--yes')).toMatchObject({ code: 3 });
  });
});

test('a name is not erased beside a Redis that the configuration does not name, until that is given up', async () => {
  const file = new DatabaseSync(join(data, 'ledger.sqlite'));
  file.exec("insert into outbox_touch (meter, day, number) values ('pulls', 20000, 1)");
  file.close();
  expect(await ledger('erase', '--org', 'a.example', '--yes')).toEqual({
    code: 1,
    stdout: '',
    stderr: expect.stringMatching(
      /^tonnage: the ledger in .* delivers to a Redis that this configuration does not name/,
    ),
  });
  expect(await ledger('rebuild')).toEqual({
    code: 0,
    stdout: 'ok\n',
    stderr: expect.stringMatching(/^tonnage: this ledger delivered to a Redis .* Its outbox is now empty, /),
  });
  expect(await ledger('rebuild')).toEqual({ code: 0, stdout: 'ok\n', stderr: '' });
  expect(await ledger('erase', '--org', 'a.example', '--yes')).toMatchObject({ code: 0 });
});

describe('a backup', () => {
  test.each([
    [['backup', ''], 2, "expected the name of a file, got ''"],
    [['backup', 'no/where'], 1, `no does not exist: name a file in a directory that does`],
    [['restore', ''], 2, "expected the name of a file, got ''"],
    [['restore', '.'], 1, ' is a directory, expected a ledger file'],
    [['restore', 'nope'], 1, 'nope does not exist: there is no ledger'],
  ] as const)('%j cannot be', async (args, code, message) => {
    const result = await run(['--data', data, 'ledger', ...args], { workingDirectory: directory });
    expect([result.code, result.stdout]).toEqual([code, '']);
    expect(result.stderr).toMatch(/^tonnage: [^\n]*\n$/);
    expect(result.stderr).toContain(message);
  });

  test('with findings is restored where that is asked for, and it is said what to do then', async () => {
    const backup = join(directory, 'unsound.sqlite');
    await ledger('backup', backup);
    const file = new DatabaseSync(backup);
    file.exec('update account_day set value = value + 1');
    file.close();
    const refused = await ledger('restore', backup);
    expect([refused.code, refused.stderr]).toEqual([
      1,
      expect.stringMatching(/ with --with-findings, then run tonnage /),
    ]);
    const { code, stdout, stderr } = await ledger('restore', '--with-findings', backup);
    expect([code, stdout]).toEqual([0, `ok; the replaced ledger is kept as ${join(data, 'ledger.sqlite.replaced')}\n`]);
    expect(stderr).toMatch(
      /^tonnage: account_day: .*\ntonnage: run tonnage ledger rebuild before you start the server: it repairs this\n$/s,
    );
    expect(await ledger('rebuild')).toMatchObject({ code: 0 });
    expect(await ledger('check')).toEqual({ code: 0, stdout: 'ok\n', stderr: '' });
  });

  test('of a ledger that has tokens alone is sound, and can be put where there is none', async () => {
    const fresh = join(directory, 'fresh');
    await run(['token', 'create', '--data', fresh]);
    const note = 'tonnage: no server has counted into this ledger yet\n';
    expect(await run(['ledger', 'check', '--data', fresh])).toEqual({ code: 0, stdout: 'ok\n', stderr: note });
    const backup = join(directory, 'tokens.sqlite');
    expect(await run(['ledger', 'backup', backup, '--data', fresh])).toMatchObject({ code: 0 });
    const empty = join(directory, 'empty');
    expect(await run(['ledger', 'restore', backup, '--data', empty])).toEqual({
      code: 0,
      stdout: `ok; there was no ledger in ${empty}\n`,
      stderr: '',
    });
    expect((await run(['token', 'list', '--data', empty])).stdout.split('\n')).toHaveLength(3);
  });

  test.each([['rebuild'], ['erase', '--org', 'a.b', '--yes'], ['check']])('%s makes no ledger', async (...args) => {
    const nowhere = join(directory, 'nowhere');
    const { code, stderr } = await run(['ledger', ...args, '--data', nowhere]);
    expect([code, stderr]).toEqual([1, `tonnage: there is no ledger in ${nowhere}\n`]);
    expect(existsSync(nowhere)).toBe(false);
    writeFileSync(join(directory, 'tonnage.yaml'), stringify({ data }));
    expect((await run(['ledger', ...args], { workingDirectory: directory })).stderr).toMatch(
      /there is no ledger in .*; tonnage\.yaml in this directory is read only with --config tonnage\.yaml\n$/,
    );
  });
});

describe('tonnage ledger migrate', () => {
  test('to where the totals are already is refused, whatever else the configurations say', async () => {
    const to = join(directory, 'same.yaml');
    const store = { driver: 'redis', url: 'redis://127.0.0.1:1' };
    writeFileSync(to, stringify({ data }));
    const refused = (where: string) =>
      `tonnage: ${to} keeps the totals where they already are, ${where}, so there is nothing to migrate: expected the ` +
      'current configuration in --config and the new one in --to\n';
    const same = { code: 1, stdout: '', stderr: refused('in the ledger itself') };
    expect(await ledger('migrate', '--to', to)).toEqual(same);
    expect(await run(['ledger', 'migrate', '--config', to, '--to', to])).toEqual(same);
    writeFileSync(to, stringify({ data, store }));
    expect(await run(['ledger', 'migrate', '--config', to, '--to', to])).toEqual({
      ...same,
      stderr: refused('in the same Redis'),
    });
  });

  test('stays in its data directory, and has to be told where to', async () => {
    expect(await ledger('migrate')).toMatchObject({ code: 2, stderr: expect.stringContaining('--to') });
    const elsewhere = join(directory, 'elsewhere.yaml');
    writeFileSync(elsewhere, stringify({ data: join(directory, 'other') }));
    const refused = await ledger('migrate', '--to', elsewhere);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toBe(
      `tonnage: ${elsewhere} names the data directory ${join(directory, 'other')}, but the ledger stays in ${data}: expected the ` +
        'same directory\n',
    );
  });
});
