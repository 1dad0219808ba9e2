import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { limits } from '../base/index.ts';
import { readInput } from './lint-input.ts';
import { formatOf, reportLine } from './lint-report.ts';
import { run } from './testing/terminal.ts';

const binary = fileURLToPath(new URL('../../bin/tonnage.js', import.meta.url));

const good = {
  text: '# HELP a_total A.\n# TYPE a_total counter\na_total 1\n',
  openMetrics: '# TYPE a counter\n# HELP a A.\na_total 1\n# EOF\n',
};
const files: Readonly<Record<string, string | Buffer>> = {
  'good.txt': good.text,
  'good.om': good.openMetrics,
  'empty.txt': '',
  'bad.txt': 'a 1\nb{ 2\n',
  'value.om': '# TYPE a counter\na_total -1\n# EOF\n',
  'after-end.om': `${good.openMetrics}b 1\n`,
  'crlf-end.om': good.openMetrics.replace('# EOF\n', '# EOF\r\n'),
  'latin1.txt': Buffer.from('a 1\n# HELP a gr\u00fcn\n', 'latin1'),
  'names.txt': '# HELP a_ms A.\n# TYPE a_ms gauge\na_ms 1\n# TYPE seen gauge\nseen 1\n',
};

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'tonnage-lint-'));
  mkdirSync(join(directory, 'folder'));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(directory, name), content);
});
afterAll(() => rmSync(directory, { recursive: true }));

const lint = (argv: readonly string[], input: string | Buffer = '') =>
  run(['lint', ...argv], { workingDirectory: directory, input });

describe('lint says of an input', () => {
  test.each([
    [['good.txt'], 'good.txt: ok'],
    [['good.om'], 'good.om: ok'],
    [['empty.txt'], 'empty.txt: ok'],
    [['--parse-only', 'names.txt'], 'names.txt: ok'],
    [['--format', 'text', '--parse-only', 'value.om'], 'value.om: ok'],
  ])('%j: %s', async (argv, line) => {
    expect(await lint(argv)).toEqual({ code: 0, stdout: `${line}\n`, stderr: '' });
  });

  test('a series that occurs twice at one time: ok, with a warning except with --parse-only', async () => {
    const text = '# TYPE a gauge\n# HELP a A.\na 1 5\na 2 5\n# EOF\n';
    expect(await lint(['-'], text)).toEqual({
      code: 0,
      stdout: '-: ok\n',
      stderr: 'warning: -:4:1: a occurs twice with the same labels and time; the first one counts\n',
    });
    expect(await lint(['--parse-only', '-'], text)).toEqual({ code: 0, stdout: '-: ok\n', stderr: '' });
  });

  test.each([
    [['bad.txt'], 'bad.txt:2:4: expected a label name, got "2"'],
    [['value.om'], 'value.om:2:9: expected a number of at least 0 for a_total, got -1'],
    [['after-end.om'], 'after-end.om:5:1: text after # EOF'],
    [['crlf-end.om'], 'crlf-end.om:4:6: a carriage return at the end of the line'],
    [['latin1.txt'], 'latin1.txt:2:1: bytes that are not UTF-8'],
    [['names.txt'], 'names.txt:1:1: a_ms: spell the unit out: seconds instead of ms; 4:1: seen: has no help text'],
    [['--format', 'openmetrics', 'empty.txt'], 'empty.txt:1:1: expected # EOF at the end'],
    [['folder'], 'folder:1:1: cannot be read: this is a directory'],
    [['none'], 'none:1:1: cannot be read: there is no such file or directory'],
    [['--parse-only', 'bad.txt'], 'bad.txt:2:4: expected a label name, got "2"'],
  ])('%j: %s', async (argv, line) => {
    const { code, stdout, stderr } = await lint(argv);
    expect(stdout).toBe(`${line}\n`);
    expect([code, stderr]).toEqual([1, 'tonnage: 1 of 1 failed\n']);
  });

  test('one line each, in their order, whatever comes before', async () => {
    const { code, stdout, stderr } = await lint(['none', 'good.txt', 'bad.txt', 'good.om']);
    expect(stdout.split('\n').map((line) => line.split(' ')[0])).toEqual([
      'none:1:1:',
      'good.txt:',
      'bad.txt:2:4:',
      'good.om:',
      '',
    ]);
    expect([code, stderr]).toEqual([1, 'tonnage: 2 of 4 failed\n']);
  });

  test('standard input', async () => {
    expect((await lint(['-'], good.openMetrics)).stdout).toBe('-: ok\n');
    expect((await lint(['good.txt', '-'], 'a')).stdout).toMatch(/^good\.txt: ok\n-:1:2: .*\n$/);
  });

  test('at most so many problems, and how many there are beyond them', async () => {
    const families = Array.from({ length: limits.lintProblemsMax + 5 }, (_, index) => `m${index} 1\n`);
    const { stdout } = await lint(['-'], families.join(''));
    expect(stdout.match(/has no help text/g)).toHaveLength(limits.lintProblemsMax);
    expect(stdout).toMatch(/; and 5 more\n$/);
  });
});

test.each([
  [[], "tonnage: missing required argument 'inputs'\n"],
  [['-', '-'], 'tonnage: -: expected it once, because standard input can be read only once\n'],
  [['http://'], 'tonnage: expected a URL such as http://HOST:PORT/metrics, got an invalid one\n'],
  [['good.txt', 'http://a:secret@b/'], /^tonnage: expected a URL without credentials(?!.*secret)/],
  [['--format', 'xml', 'good.txt'], /^tonnage: option '--format <format>' argument 'xml' is invalid\./],
])('%j is wrong usage, before anything is read', async (argv, message) => {
  const { code, stdout, stderr } = await lint(argv);
  expect(stderr).toMatch(message);
  expect([code, stdout]).toEqual([2, '']);
});

test.each([
  [good.text, undefined, 'text'],
  [good.openMetrics, undefined, 'openmetrics'],
  ['a 1\n# EOF', undefined, 'openmetrics'],
  ['# HELP a # EOF\n', undefined, 'text'],
  [good.openMetrics, 'text/html', 'openmetrics'],
  [good.openMetrics, 'text/plain; version=0.0.4', 'text'],
  [good.text, 'Application/OpenMetrics-Text; version=1.0.0', 'openmetrics'],
])('%j with the content type %s is %s', (text, contentType, format) => {
  expect(formatOf({ bytes: Buffer.from(text), ...(contentType && { contentType }) })).toBe(format);
});

test('an input takes one line, whatever stands in it', () => {
  const message = fc.string({ unit: 'binary' });
  const problem = fc.record({ line: fc.nat(), column: fc.nat(), message });
  fc.assert(
    fc.property(message, fc.array(problem), (name, problems) => {
      expect(reportLine(name, problems)).toMatch(/^[^\p{Cc}]*\n$/u);
    }),
  );
});

describe('a server', () => {
  type Answer = (response: ServerResponse, request: IncomingMessage) => void;
  let answer: Answer;
  const asked: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    asked.push(request);
    answer(response, request);
  });
  let url: string;
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/metrics`;
  });
  beforeEach(() => void asked.splice(0));
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  const openMetrics: Answer = (response) =>
    void response.setHeader('content-type', 'application/openmetrics-text').end(good.openMetrics);

  test('is asked for both formats, or for the one that is stated', async () => {
    answer = openMetrics;
    expect(await lint([url])).toEqual({ code: 0, stdout: `${url}: ok\n`, stderr: '' });
    await lint(['--format', 'text', url]);
    await lint(['--format', 'openmetrics', url]);
    const [both, text, only] = asked.map((request) => request.headers.accept);
    expect(both).toMatch(
      /^application\/openmetrics-text; version=1\.0\.0; .*, text\/plain; version=0\.0\.4; .*q=0\.5$/,
    );
    expect(text).toMatch(/^text\/plain; version=0\.0\.4;(?!.*openmetrics)/);
    expect(only).toMatch(/^application\/openmetrics-text; version=1\.0\.0;(?!.*plain)/);
  });

  test('is held to its content type', async () => {
    answer = (response) => void response.setHeader('content-type', 'application/openmetrics-text').end(good.text);
    expect((await lint([url])).stdout).toMatch(/^\S+:3:1: the family a_total /);
    answer = (response) => void response.setHeader('content-type', 'text/plain').end(good.text);
    expect((await lint([url])).stdout).toBe(`${url}: ok\n`);
  });

  test('may redirect', async () => {
    answer = (response, request) =>
      request.url === '/metrics'
        ? response.writeHead(302, { location: '/there' }).end()
        : openMetrics(response, request);
    expect((await lint([url])).stdout).toBe(`${url}: ok\n`);
  });

  test.each([
    [
      'an error',
      (response: ServerResponse) => response.writeHead(503).end(good.openMetrics),
      'the server responded with 503',
    ],
    ['nothing', (response: ServerResponse) => response.destroy(), /cannot be read: (other side closed|socket hang up)/],
    [
      'redirects without end',
      (response: ServerResponse) => response.writeHead(302, { location: '/metrics' }).end(),
      '',
    ],
  ])('that answers %s is one line', async (_, given, message) => {
    answer = given;
    const { code, stdout } = await lint([url]);
    expect(stdout).toMatch(message);
    expect(stdout).toMatch(/^\S+:1:1: .+\n$/);
    expect(code).toBe(1);
  });

  test('that is not there is one line', async () => {
    const { code, stdout } = await lint(['http://127.0.0.1:1/metrics']);
    expect(stdout).toBe('http://127.0.0.1:1/metrics:1:1: cannot be read: connect ECONNREFUSED 127.0.0.1:1\n');
    expect(code).toBe(1);
  });

  const options = { workingDirectory: '.', input: new PassThrough(), accept: '*/*', bytesMax: 1_000, msMax: 300 };

  test('that never ends is given up', async () => {
    answer = (response) => void response.write(good.text);
    await expect(readInput(url, options)).rejects.toThrow('has not ended within 300 ms');
    await expect.poll(() => asked[0]?.destroyed).toBe(true);
  });

  test('that sends without end is given up', async () => {
    answer = (response) => {
      const send = (): void => void response.write('a 1\n'.repeat(100), (error) => error ?? setImmediate(send));
      send();
    };
    await expect(readInput(url, { ...options, msMax: 10_000 })).rejects.toThrow('is larger than 1000 bytes');
    await expect.poll(() => asked[0]?.destroyed).toBe(true);
  });

  test('and so is standard input that never ends', async () => {
    const input = new PassThrough();
    input.write('a 1\n');
    await expect(readInput('-', { ...options, input })).rejects.toThrow('has not ended within 300 ms');
    expect(input.destroyed).toBe(true);
  });
});

describe('as a process', () => {
  const tonnage = (argv: readonly string[], input = '') =>
    spawnSync(process.execPath, [binary, 'lint', ...argv], { cwd: directory, input, encoding: 'utf8' });

  test('it prints to standard output and exits with 0 or 1', () => {
    expect(tonnage(['good.txt', '-'], good.openMetrics)).toMatchObject({
      status: 0,
      stdout: 'good.txt: ok\n-: ok\n',
      stderr: '',
    });
    expect(tonnage(['good.txt', 'bad.txt'])).toMatchObject({
      status: 1,
      stdout: 'good.txt: ok\nbad.txt:2:4: expected a label name, got "2"\n',
      stderr: 'tonnage: 1 of 2 failed\n',
    });
  });

  test('too much on standard input ends it, whoever writes', () => {
    const command = `yes '# a comment' | "${process.execPath}" "${binary}" lint -; exit "\${PIPESTATUS[1]}"`;
    const { status, stdout } = spawnSync('bash', ['-c', command], { encoding: 'utf8' });
    expect(stdout).toBe(`-:1:1: is larger than ${limits.lintBytesMax} bytes\n`);
    expect(status).toBe(1);
  });
});
