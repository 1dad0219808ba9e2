import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { configReader, startServer, type RunningServer } from '../app.ts';
import { systemRandom } from '../base/index.ts';
import { hashPassword } from '../identity/index.ts';
import { run } from './testing/terminal.ts';

let data: string;
let server: RunningServer;
beforeAll(async () => {
  data = mkdtempSync(join(tmpdir(), 'tonnage-event-'));
  const hash = await hashPassword('pa:ss', systemRandom);
  const config = configReader.read({
    file: {
      name: 'c.yaml',
      text: `listen: 127.0.0.1:0
log: { level: error }
upstreams: {}
usage: { meters: { build_seconds: { eventType: org.example.done, quantity: seconds, unit: s } } }
users: { ci: { passwordHash: "${hash}", rights: [ingest, query] }, reader: { passwordHash: "${hash}" } }`,
      directory: data,
    },
    environment: {},
    flags: { data },
    workingDirectory: data,
    readSecret: () => '',
  });
  server = await startServer({ config, acceptTimeZone: false, version: '0' });
});
afterAll(async () => {
  await server.stop();
  rmSync(data, { recursive: true });
});

const environment = { TONNAGE_PASSWORD: 'pa:ss' };
const send = (args: readonly string[], input = '') =>
  run(['event', 'send', '--url', server.url, '--user', 'ci', ...args], { environment, input, workingDirectory: data });

async function totalOf(meter: string, query = ''): Promise<number> {
  const response = await fetch(`${server.url}/api/v1/usage/${meter}?${query}`, {
    headers: { authorization: `Basic ${Buffer.from('ci:pa:ss').toString('base64')}` },
  });
  const { total } = (await response.json()) as { total: number };
  return total;
}

const build = (id: string, more: object = {}) =>
  JSON.stringify({ specversion: '1.0', type: 'tonnage.build', source: '/file', id, data: {}, ...more });

describe('events of a file', () => {
  test('are counted once, however often the file is sent', async () => {
    const lines = Array.from({ length: 2_345 }, (_, index) => build(`many-${index}`));
    writeFileSync(join(data, 'many.jsonl'), `${lines.join('\n')}\n`);
    const before = await totalOf('builds');
    expect(await send(['many.jsonl'])).toEqual({ code: 0, stderr: '', stdout: '2,345 events: 2,345 accepted\n' });
    expect(await send(['many.jsonl'])).toMatchObject({ code: 0, stdout: '2,345 events: 2,345 duplicate\n' });
    expect((await totalOf('builds')) - before).toBe(2_345);
  });

  test('that are refused are named by their lines, and the others count', async () => {
    const lines = [build('l-1'), '{"id"', build('l-3', { type: 'x' }), '', build('l-5', { data: { org: 'a_b' } })];
    const { code, stdout, stderr } = await send(['-'], lines.join('\r\n'));
    expect([code, stdout]).toEqual([1, '4 events: 1 accepted, 3 refused\n']);
    expect(stderr.split('\n')).toEqual([
      expect.stringMatching(/^standard input:2: expected JSON: /),
      expect.stringMatching(/^standard input:3: unknown_type: type: expected .*, got "x"$/),
      expect.stringMatching(/^standard input:5: invalid_dimension: data.org: expected .*, got "a_b"$/),
      'tonnage: 3 events refused',
      '',
    ]);
  });

  test('are named only so far when many are refused', async () => {
    const { stderr } = await send(['-'], '{}\n'.repeat(1_500));
    expect(stderr.match(/^standard input:/gm)).toHaveLength(20);
    expect(stderr).toMatch(/tonnage: 1,500 events refused, 1,480 more than listed above\n$/);
  });

  test.each([
    ['nope.jsonl', 1, 'nope.jsonl: cannot be read: there is no such file or directory'],
    ['folder.jsonl', 1, 'folder.jsonl: cannot be read: this is a directory'],
    ['empty.jsonl/x', 1, 'empty.jsonl/x: cannot be read: a part of its path is not a directory'],
    ['loop.jsonl', 1, 'loop.jsonl: cannot be read: its symbolic links form a loop'],
    ['x'.repeat(300), 1, `${'x'.repeat(300)}: cannot be read: its name is too long`],
    ['', 2, "event send: expected the name of a file, got ''"],
  ])('that cannot be read are none, and why is said in words: %j', async (file, code, message) => {
    mkdirSync(join(data, 'folder.jsonl'), { recursive: true });
    writeFileSync(join(data, 'empty.jsonl'), '');
    rmSync(join(data, 'loop.jsonl'), { force: true });
    symlinkSync('loop.jsonl', join(data, 'loop.jsonl'));
    expect(await send([file])).toEqual({ code, stdout: '', stderr: `tonnage: ${message}\n` });
  });

  test.skipIf(process.getuid?.() === 0)('that nobody may read', async () => {
    writeFileSync(join(data, 'closed.jsonl'), '', { mode: 0 });
    const stderr = 'tonnage: closed.jsonl: cannot be read: permission denied\n';
    expect(await send(['closed.jsonl'])).toEqual({ code: 1, stdout: '', stderr });
  });

  test.each([
    ['gzip', 'zcat', gzipSync],
    ['zstd', 'zstdcat', zstdCompressSync],
  ])('that are compressed with %s are sent by what unpacks them', async (name, print, compress) => {
    writeFileSync(join(data, 'packed'), compress(`${build('packed')}\n`));
    const advice = `expected JSON lines, got a file compressed with ${name}: decompress it, as in ${print} packed | tonnage event send -`;
    expect(await send(['packed'])).toEqual({ code: 1, stdout: '', stderr: `tonnage: packed: ${advice}\n` });
  });

  test('that hold none', async () => {
    expect(await send(['-'])).toEqual({ code: 0, stdout: '0 events\n', stderr: '' });
  });
});

describe('one event', () => {
  test('is made of options', async () => {
    const args = ['--type', 'tonnage.mirror', '--id', 'm-1', '--org', 'O.example', '--arch', 'arm64'];
    const more = ['--member', 'repository=team/app', '--quantity', '3', '--time', new Date().toISOString()];
    expect(await send([...args, ...more])).toEqual({ code: 0, stderr: '', stdout: '1 event: 1 accepted\n' });
    expect(await send(args)).toMatchObject({ code: 0, stdout: '1 event: 1 duplicate\n' });
    expect(await totalOf('mirrors', 'org=o.example&arch=arm64&repository=team/app')).toBe(3);
  });

  test('of a meter of the configuration', async () => {
    const args = ['--type', 'org.example.done', '--id', 's-1', '--source', '/x', '--member', 'seconds:=93'];
    expect(await send(args)).toMatchObject({ stdout: '1 event: 1 accepted\n' });
    expect(await totalOf('build_seconds')).toBe(93);
  });

  test('that is refused', async () => {
    expect(await send(['--type', 'x', '--id', '1'])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^tonnage: the event was refused: unknown_type: type: /),
    });
  });

  test.each([
    [
      ['--member', 'seconds=93'],
      /data\.seconds: .*, got "93"; --member seconds=93 is a text: write --member seconds:=93 /,
    ],
    [['--member', 'seconds=many'], /data\.seconds: .*, got "many"\n$/],
    [
      ['--member', 'seconds:=1', '--quantity', '5'],
      /got "quantity"; the meter of this type .*: write --member NAME:=5\n$/,
    ],
  ])('that is refused for how %j is written', async (args, message) => {
    const { code, stderr } = await send(['--type', 'org.example.done', '--id', 's-2', ...args]);
    expect([code, stderr]).toEqual([1, expect.stringMatching(message)]);
  });
});

test.each([
  [[], /expected FILE, or --type and --id of one event/],
  [['--id', '1'], /expected FILE, or --type and --id/],
  [['--type', 'tonnage.build'], /expected --id, which identifies/],
  [['--type', '', '--id', '1'], /--type: expected at least one character, got ''/],
  [['--type', 't', '--id', ''], /--id: expected at least one character, got ''/],
  [['--type', 't', '--id', '1', '--source', ''], /--source: expected at least one character, got ''/],
  [['x.jsonl', '--type', 'tonnage.build'], /--type: expected no FILE with it/],
  [['--type', 't', '--id', '1', '--quantity', 'many'], /--quantity: expected a whole number, got many/],
  [['--type', 't', '--id', '1', '--member', 'x'], /--member: expected NAME=TEXT or NAME:=JSON, got x/],
  [['--type', 't', '--id', '1', '--member', 'x:=y'], /--member: expected JSON after x:=, got y/],
  [
    ['--type', 't', '--quantity', 'abc'],
    /expected --id, [^\n]*\ntonnage: --quantity: expected a whole number, got abc\n$/,
  ],
  [['x', '--url', 'ftp://x'], /--url: expected http/],
])('%j is wrong usage', async (args, message) => {
  expect(await send(args)).toMatchObject({ code: 2, stderr: expect.stringMatching(message) });
});

describe('a server', () => {
  let other: Server | undefined;
  afterEach(() => other?.close());

  async function start(listener: RequestListener): Promise<string> {
    other = createServer(listener);
    await new Promise<void>((resolve) => other?.listen(0, '127.0.0.1', resolve));
    const address = other.address();
    return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  }

  const answer = (count: number) =>
    JSON.stringify({ accepted: count, duplicate: 0, voided: 0, refused: 0, results: [] });

  test('that does not take the credentials is not asked again', async () => {
    const reader = await run(['event', 'send', '-', '--url', server.url, '--user', 'reader'], {
      environment,
      input: build('1'),
    });
    expect(reader).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/tonnage: http.* does not accept events: it responded with 403: /),
    });
  });

  test('that is busy, or breaks off, is asked again', async () => {
    let requests = 0;
    const url = await start((request, response) => {
      requests++;
      if (requests === 1) return void response.writeHead(503, { 'retry-after': '1' }).end('{"title":"busy"}');
      if (requests === 2) return void request.socket.destroy();
      request.resume().on('end', () => response.end(answer(1)));
    });
    const started = performance.now();
    const { code, stdout, stderr } = await run(['event', 'send', '-', '--url', url], { input: build('1') });
    expect([code, stdout, requests]).toEqual([0, '1 event: 1 accepted\n', 3]);
    expect(stderr).toMatch(
      /^tonnage: it responded with 503: busy; retrying in 1\.0 s\ntonnage: it does not respond: .*; retrying in /,
    );
    expect(performance.now() - started).toBeGreaterThan(900);
  });

  test('that takes less at once gets less at once', async () => {
    const sizes: number[] = [];
    const url = await start((request, response) => {
      void buffer(request).then((body) => {
        const events = JSON.parse(body.toString()) as unknown[];
        sizes.push(events.length);
        if (events.length > 2) response.writeHead(413).end();
        else response.end(answer(events.length));
      });
    });
    const input = Array.from({ length: 5 }, (_, index) => build(`${index}`)).join('\n');
    expect(await run(['event', 'send', '-', '--url', url], { input })).toMatchObject({
      stdout: '5 events: 5 accepted\n',
    });
    expect(sizes).toEqual([5, 3, 2, 1, 2]);
  });

  test('that refuses even one event as too large', async () => {
    const url = await start((_, response) => void response.writeHead(413).end());
    expect(await run(['event', 'send', '-', '--url', url], { input: build('1') })).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^standard input:1: is larger than the server accepts\n/),
    });
  });

  test('of another kind is not believed', async () => {
    const url = await start((_, response) => void response.end('<html>'));
    expect(await run(['event', 'send', '-', '--url', url], { input: build('1') })).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /run the command again .*\ntonnage: the response is not from a Tonnage server: .+\n$/,
      ),
    });
  });
});
