import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { configReader, startServer } from '../app.ts';
import type { TokenInfo } from '../identity/index.ts';
import { lockFile } from '../sqlite/index.ts';
import { run } from './testing/terminal.ts';
import { tokensAsTable } from './token-table.ts';

let data: string;
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'tonnage-cli-token-'));
});
afterEach(() => rmSync(data, { recursive: true }));

const token = (...args: readonly string[]) => run(['token', ...args, '--data', data]);

test('a token is printed alone, and listed by its id', async () => {
  const made = await token('create', '--org', 'a.org', '--scope', 'lab/a,lab/b/*', '--expires', '2099-01-01T00:00Z');
  expect(made).toMatchObject({ code: 0, stdout: expect.stringMatching(/^tng_api_[a-z2-7]{59}\n$/) as unknown });
  const [, id = ''] = /^tonnage: token (\S+); it is not shown again/.exec(made.stderr) ?? [];
  const { stdout } = await token('list');
  const lines = stdout.split('\n').map((line) => line.split(/ {2,}/));
  expect(lines[0]).toEqual(['ID', 'KIND', 'NAME', 'ORG', 'RIGHTS', 'CREATED', 'EXPIRES', 'LAST USED', 'SCOPE']);
  expect(lines[1]?.toSpliced(5, 1)).toEqual([
    id,
    'api',
    '-',
    'a.org',
    'pull,query',
    '2099-01-01',
    'never',
    'lab/a,lab/b/*',
  ]);
  expect(await token('revoke', id)).toEqual({ code: 0, stdout: 'ok\n', stderr: '' });
  const { stdout: json } = await token('list', '--format', 'json');
  expect(JSON.parse(json)).toEqual({ tokens: [] });
});

test('a token with a Debusine scope is for its pages only, which the note and the list say', async () => {
  const made = await token('create', '--debusine-scope', 'we"ird\\scope, a', '--name', 'farm');
  expect(made).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^tng_api_[a-z2-7]{59}\n$/) as unknown,
    stderr: expect.stringContaining(
      'It opens only the pages of Debusine sources, for the scope we"ird\\scope, a. Use: ',
    ) as unknown,
  });
  const { stdout } = await token('list');
  expect(stdout.split('\n')[1]).toMatch(/ api +farm +- +query +.* +Debusine: we"ird\\scope, a$/);
  const { stdout: json } = await token('list', '--format', 'json');
  expect(JSON.parse(json)).toMatchObject({ tokens: [{ debusineScope: 'we"ird\\scope, a', rights: ['query'] }] });
});

test('a scope is checked against the upstreams of a configuration that is named', async () => {
  const file = join(data, 'tonnage.yaml');
  writeFileSync(file, 'upstreams: { lab: { url: "http://127.0.0.1:1", aliases: [mylab] }, docker.io: {} }');
  const made = await token('create', '--config', file, '--scope', 'mylab/a', 'index.docker.io/alpine', 'team/*');
  const scope = ['lab/a', 'docker.io/library/alpine', 'docker.io/team/*'];
  expect(made).toMatchObject({ code: 0, stderr: expect.stringContaining(`It may pull ${scope.join(', ')}. Use: `) });
  const { stdout } = await token('list', '--format', 'json');
  expect(JSON.parse(stdout)).toMatchObject({ tokens: [{ scope }] });
  expect(await token('create', '--config', file, '--scope', 'ghcr.io/a')).toEqual({
    code: 2,
    stdout: '',
    stderr:
      'tonnage: scope: expected a configured upstream and a repository, got "ghcr.io/a"; configured upstreams: lab, docker.io\n',
  });
});

test('a list says which have expired', () => {
  const [createdAt, expiresAt] = [Date.parse('2026-11-01T00:00:00Z'), Date.parse('2026-11-20T00:00:00Z')];
  const token: TokenInfo = { id: 'abc', kind: 'path', rights: ['pull'], createdAt, expiresAt, usedAt: createdAt };
  const rowOf = (now: number) => tokensAsTable([token], now).split('\n')[1]?.split(/ {2,}/);
  const before = ['abc', 'path', '-', '-', 'pull', '2026-11-01', '2026-11-20', '2026-11-01', 'all'];
  expect(rowOf(expiresAt - 1)).toEqual(before);
  expect(rowOf(expiresAt)).toEqual(before.with(6, '2026-11-20 (expired)'));
});

describe('a directory without a ledger', () => {
  const made = (where: string) =>
    `tonnage: created a new ledger in ${where}: the token is valid for a server with this data directory\n`;

  test.each([
    ['--data', ['--data', 'new'], {}],
    ['--config', ['--config', 'here.yaml'], {}],
    ['TONNAGE_DATA', [], { TONNAGE_DATA: 'new' }],
  ] as const)('that %s names is made by create, once, which is said', async (_, args, environment) => {
    writeFileSync(join(data, 'here.yaml'), 'data: new\n');
    const create = () => run(['token', 'create', ...args], { environment, workingDirectory: data });
    const first = await create();
    expect(first).toMatchObject({ code: 0, stdout: expect.stringMatching(/^tng_api_\S+\n$/) as unknown });
    expect(first.stderr).toContain(made(join(data, 'new')));
    expect((await create()).stderr).not.toContain('was made');
    const { stdout } = await run(['token', 'list', ...args], { environment, workingDirectory: data });
    expect(stdout.split('\n')).toHaveLength(4);
  });

  test('is made, and that is said, also where the token then cannot be', async () => {
    const { code, stderr } = await run(['token', 'create', '--rights', 'x', '--data', 'new'], {
      workingDirectory: data,
    });
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(/^tonnage: created a new ledger in .*\ntonnage: rights: /),
    ]);
  });

  test('that nobody names is refused, and nothing is left in it', async () => {
    const refused = (more = '') =>
      `tonnage: there is no ledger in ${data}/data: pass the server's data directory with --data, or its ` +
      `configuration with --config${more}\n`;
    const create = '; to create one there, add --data ' + join(data, 'data');
    const here = () => run(['token', 'create'], { workingDirectory: data });
    expect(await here()).toEqual({ code: 1, stdout: '', stderr: refused(create) });
    mkdirSync(join(data, 'data'));
    expect(await here()).toEqual({ code: 1, stdout: '', stderr: refused(create) });
    expect(readdirSync(join(data, 'data'))).toEqual([]);
    writeFileSync(join(data, 'tonnage.yaml'), 'data: elsewhere\n');
    const unread = '; tonnage.yaml in this directory is read only with --config tonnage.yaml';
    expect(await here()).toEqual({ code: 1, stdout: '', stderr: refused(create + unread) });
    expect(await run(['token', 'list'], { workingDirectory: data })).toEqual({
      code: 1,
      stdout: '',
      stderr: refused(unread),
    });
  });

  test.each([['list'], ['revoke', 'abc']])('is never made by %s', async (...args) => {
    const { code, stderr } = await run(['token', ...args, '--data', 'new'], { workingDirectory: data });
    expect([code, stderr]).toEqual([1, expect.stringContaining(`there is no ledger in ${join(data, 'new')}: `)]);
    expect(readdirSync(data)).toEqual([]);
  });
});

describe('a value that cannot be is wrong usage', () => {
  const values = [
    ['--rights', 'pull,foo'],
    ['--rights', ''],
    ['--path', '--rights', 'query'],
    ['--org', 'a b'],
    ['--email', 'foo'],
    ['--scope', '*'],
    ['--scope', ''],
    ['--name', '\u001b'],
    ['--expires', '2020-01-01T00:00:00Z'],
    ['--debusine-scope', ''],
    ['--debusine-scope', 'debian', '--path'],
    ['--debusine-scope', 'debian', '--scope', 'lab/a'],
    ['--debusine-scope', 'debian', '--rights', 'query,pull'],
  ] as const;

  test('in the same words in the file, at the server that has it open, and at a URL', async () => {
    const config = join(data, 'c.yaml');
    writeFileSync(config, 'listen: 127.0.0.1:0\nlog: { level: error }\ndata: .\n');
    const bare = (flags: readonly string[]) => run(['token', 'create', '--config', config, ...flags]);
    await token('create');
    const expected: Awaited<ReturnType<typeof run>>[] = [];
    for (const value of values) expected.push(await bare(value));
    for (const { code, stdout, stderr } of expected) {
      expect([code, stdout]).toEqual([2, '']);
      expect(stderr).toMatch(/^tonnage: (rights|org|email|scope|debusineScope|name|expiresAt): expected .*, got .*\n$/);
    }
    const server = await startServer({
      config: configReader.load({ file: config, environment: {} }),
      acceptTimeZone: false,
      version: '0',
    });
    try {
      for (const [at, value] of values.entries()) {
        for (const way of [[], ['--url', server.url]]) expect(await bare([...value, ...way])).toEqual(expected[at]);
      }
    } finally {
      await server.stop();
    }
  });

  test.each([['--rights'], ['--org'], ['--expires']])('%s that is given twice', async (flag) => {
    const { code, stderr } = await token('create', flag, 'x', flag, 'y');
    expect([code, stderr]).toEqual([2, `tonnage: ${flag}: expected it once, got it several times\n`]);
  });
});

describe('what cannot be', () => {
  test.each([
    [['--expires', 'soon'], 2, 'tonnage: --expires: expected a duration'],
    [['--expires', '2099-01-01'], 2, 'or an RFC 3339 time, got "2099-01-01"'],
    [['--platform', '--path'], 2, 'expected the access token of the Platform in the variable TONNAGE_PLATFORM_TOKEN'],
    [['--user', 'root'], 2, 'tonnage: --user: expected --url with it'],
    [['--url', 'ftp://x'], 2, 'tonnage: --url: expected http://HOST:PORT'],
    [['--rights', 'pull,push'], 2, 'tonnage: rights: expected some of pull, query, ingest, admin, got "push"'],
    [['--path', '--rights', 'query'], 2, 'tonnage: rights: expected only pull for a path token'],
    [['--org', 'not an org'], 2, 'tonnage: org: expected an organisation such as example.org, got "not an org"'],
    [['--url', 'http://127.0.0.1:1'], 1, 'tonnage: http://127.0.0.1:1 does not respond: HTTP clients block this port'],
  ] as const)('%j', async (args, code, message) => {
    const result = await token('create', ...args);
    expect([result.code, result.stdout]).toEqual([code, '']);
    expect(result.stderr).toContain(message);
  });

  test('a Platform without a server to ask it', async () => {
    const environment = { TONNAGE_PLATFORM_TOKEN: 'x' };
    await token('create');
    const { code, stderr } = await run(['token', 'create', '--path', '--platform', '--data', data], { environment });
    expect([code, stderr]).toEqual([
      1,
      'tonnage: platformToken: expected a running server, which queries the Platform\n',
    ]);
  });

  test('a token of another directory', async () => {
    await token('create');
    const { code, stderr } = await token('revoke', 'nothing');
    expect([code, stderr]).toEqual([1, 'tonnage: id: expected the id of a token, as in the list\n']);
  });

  test('a directory that somebody holds who does not answer', async () => {
    const lock = lockFile(join(data, 'lock'));
    const { code, stderr } = await token('list');
    lock.release();
    expect([code, stderr]).toEqual([1, expect.stringContaining(`the server of ${data} does not respond: `)]);
  });
});
