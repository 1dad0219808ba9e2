import { parsePasswordHash } from '../base/index.ts';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { verifyPassword } from '../identity/index.ts';
import { run } from './testing/terminal.ts';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'tonnage-cli-'));
  writeFileSync(join(directory, 'good.yaml'), 'users: { a: { passwordHash: "${HASH}" } }\n');
  writeFileSync(join(directory, 'bad.yaml'), 'listn: 1\ntimeZone: Mars\n');
});
afterAll(() => rmSync(directory, { recursive: true }));

describe('help', () => {
  test.each([
    [['--help'], /tonnage serve .*\n/],
    [['help', 'serve'], /--accept-time-zone/],
    [['serve', '--help'], /--config <file>/],
    [['usage', '-h'], /--by <names>/],
    [['config', '--help'], /schema/],
    [['help'], /^Usage: tonnage \[options\] \[command\]\n/],
    [['help', 'event'], /^Usage: tonnage event \[options\] \[command\]\n/],
    [['help', 'event', 'send'], /^Usage: tonnage event send \[options\] \[file\]\n/],
    [['event', 'help', 'send'], /^Usage: tonnage event send \[options\] \[file\]\n/],
    [['help', 'ledger', 'erase'], /^Usage: tonnage ledger erase [^]*--yes/],
    [['help', 'help'], /^Usage: tonnage help \[options\] \[command\.\.\.\]\n/],
  ])('%j is printed on standard output', async (argv, text) => {
    const { code, stdout, stderr } = await run(argv);
    expect(stdout).toMatch(text);
    expect([code, stderr]).toEqual([0, '']);
  });

  test('every command says what it does, and the option that has another name is hidden', async () => {
    const { stdout } = await run(['--help']);
    expect(stdout).toMatch(
      /^ {2}serve .*\n {2}usage .*\n {2}event .*\n {2}ledger .*\n {2}wave .*\n {2}collect .*\n {2}debusine .*\n {2}config .*\n {2}user /m,
    );
    expect(stdout).not.toContain('--config-file');
  });

  test('a missing command is wrong usage', async () => {
    for (const argv of [[], ['config'], ['user']]) {
      const { code, stdout, stderr } = await run(argv);
      expect([code, stdout]).toEqual([2, '']);
      expect(stderr).toContain('Usage: tonnage');
    }
  });
});

test('--version', async () => {
  expect(await run(['--version'])).toEqual({ code: 0, stdout: '1.2.3\n', stderr: '' });
});

describe('wrong usage is one line and exit code 2', () => {
  test.each([
    [['serv'], "tonnage: unknown command 'serv' (Did you mean serve?)\n"],
    [['serve', '--prt', '1'], "tonnage: unknown option '--prt' (Did you mean --port?)\n"],
    [
      ['serve', '--port', '65536'],
      "tonnage: option '--port <port>' argument '65536' is invalid. Expected a number from 0 to 65535.\n",
    ],
    [
      ['serve', '--host', 'a:b'],
      "tonnage: option '--host <host>' argument 'a:b' is invalid. Expected a host name or an address.\n",
    ],
    [
      ['serve', '--metrics', 'x'],
      /^tonnage: option '--metrics .* argument 'x' is invalid\. Expected false, HOST:PORT.*\n$/,
    ],
    [['help', 'evnt'], "tonnage: unknown command 'evnt' (Did you mean event?)\n"],
    [['help', 'event', 'sned'], "tonnage: unknown command 'sned' (Did you mean send?)\n"],
    [['help', 'serve', 'send'], "tonnage: unknown command 'send'\n"],
    [['serve', 'x'], "tonnage: too many arguments for 'serve'. Expected 0 arguments but got 1: x.\n"],
    [['--config'], "tonnage: option '-c, --config <file>' argument missing\n"],
    [['config', 'chck'], "tonnage: unknown command 'chck' (Did you mean check?)\n"],
    [
      ['config', 'check', '--config', 'a', '--config-file', 'b'],
      'tonnage: --config-file is an alias of --config: expected one file, got a and b\n',
    ],
    [['usage'], "tonnage: missing required argument 'meter'\n"],
    [['usage', 'pills'], /^tonnage: meter: expected one of pulls, .*, got "pills"\n$/],
    [['usage', 'pulls', '--from', '2026-02-30'], 'tonnage: from: expected a day as YYYY-MM-DD, got "2026-02-30"\n'],
    [['usage', 'pulls', '--by', 'colour'], /^tonnage: by: expected names from org, .*, got "colour"\n$/],
    [['usage', 'pulls', '--limit', '0'], /^tonnage: limit: expected a whole number from 1 to 10000, got "0"\n$/],
    [
      ['usage', 'pulls', '--format', 'xml'],
      /^tonnage: option '--format <format>' argument 'xml' is invalid\. Allowed choices are table, json, csv, csv-raw\.\n$/,
    ],
    [['usage', 'pulls', '--url', 'x'], 'tonnage: --url: expected http://HOST:PORT or https://HOST, got "x"\n'],
    [['usage', 'pulls', '--url', 'http://a:secret@b'], /^tonnage: --url: expected no credentials(?!.*secret)/],
    [
      ['usage', 'pulls', '--user', 'a'],
      /^tonnage: --user: expected --url with it; .* and --of-user filters by user\n$/,
    ],
    [
      ['usage', 'pulls', '--url', 'http://a', '--user', 'a'],
      'tonnage: --user: expected the password in the variable TONNAGE_PASSWORD\n',
    ],
  ])('%j', async (argv, message) => {
    const { code, stdout, stderr } = await run(argv);
    const said = typeof message === 'string' ? stderr === message : message.test(stderr);
    expect(said, stderr).toBe(true);
    expect([code, stdout]).toEqual([2, '']);
  });
});

describe('config', () => {
  const hash = `sha256:${'0a'.repeat(32)}`;

  test.each([
    [['config', 'check', '--config', 'good.yaml'], 'good.yaml: ok\n'],
    [['--config', 'good.yaml', 'config', 'check'], 'good.yaml: ok\n'],
    [['--config-file', 'good.yaml', 'config', 'check'], 'good.yaml: ok\n'],
    [['config', 'check'], 'configuration: ok\n'],
  ])('%j', async (argv, stdout) => {
    const result = await run(argv, { environment: { HASH: hash }, workingDirectory: directory });
    expect(result).toEqual({ code: 0, stdout, stderr: '' });
  });

  test('check says each problem on a line of its own, and exits with 1', async () => {
    const options = { environment: { TONNAGE_LISTN: '1' }, workingDirectory: directory };
    const { code, stdout, stderr } = await run(['config', 'check', '-c', 'bad.yaml'], options);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr.split('\n')).toEqual([
      'tonnage: bad.yaml:1:1: listn: unknown key; did you mean listen?',
      expect.stringMatching(/^tonnage: bad\.yaml:2:11: timeZone: expected an IANA time zone/),
      'tonnage: TONNAGE_LISTN: unknown variable; did you mean TONNAGE_LISTEN?',
      '',
    ]);
  });

  test('print shows what is in effect, without secrets', async () => {
    const argv = ['--data', 'elsewhere', 'config', 'print', '-c', 'good.yaml'];
    const environment = { HASH: hash, TONNAGE_METRICS: '127.0.0.1:9' };
    const { code, stdout } = await run(argv, { environment, workingDirectory: directory });
    expect(code).toBe(0);
    expect(parse(stdout)).toMatchObject({
      listen: '0.0.0.0:8080',
      metrics: { listen: '127.0.0.1:9' },
      data: join(directory, 'elsewhere'),
      users: { a: { passwordHash: '***', rights: ['pull', 'query'] } },
    });
    expect(stdout).not.toContain('0a0a');
  });

  test('the mark of npm start changes defaults only', async () => {
    const environment = { TONNAGE_START: '1', HASH: hash };
    const options = { environment, workingDirectory: directory };
    expect(parse((await run(['config', 'print'], options)).stdout)).toMatchObject({
      listen: '127.0.0.1:8080',
      metrics: { listen: '127.0.0.1:2112' },
    });
    expect(parse((await run(['config', 'print', '-c', 'good.yaml'], options)).stdout)).toMatchObject({
      listen: '127.0.0.1:8080',
      metrics: { listen: '127.0.0.1:2112' },
    });
    const other = { ...options, environment: { ...environment, TONNAGE_METRICS: 'false', TONNAGE_LISTEN: '1' } };
    expect(parse((await run(['config', 'print'], other)).stdout)).toMatchObject({
      listen: ':1',
      metrics: false,
    });
  });

  test('schema prints JSON', async () => {
    const { code, stdout } = await run(['config', 'schema']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ $schema: 'https://json-schema.org/draft/2020-12/schema' });
  });

  test('a file that is not there', async () => {
    expect(await run(['serve', '--config', 'nope.yaml'], { workingDirectory: directory })).toEqual({
      code: 1,
      stdout: '',
      stderr: 'tonnage: nope.yaml: cannot be read: there is no such file or directory\n',
    });
  });
});

test.each([
  ['secret', 'secret'],
  ['secret\n', 'secret'],
  ['secret\r\n', 'secret'],
  [' pässword ', ' pässword '],
])('user hash of %j lets in %j', async (input, password) => {
  const { code, stdout, stderr } = await run(['user', 'hash'], { input });
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).toMatch(/^scrypt:\S+\n$/);
  const hash = parsePasswordHash(stdout.trim());
  expect(hash && (await verifyPassword(password, hash))).toBe(true);
});
