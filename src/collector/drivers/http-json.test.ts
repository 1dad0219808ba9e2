import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { makeCertificates } from '../../../test/support/redis-tls.ts';
import { encode, openMetrics } from '../../exposition/index.ts';
import { collectorConformance } from '../conformance.ts';
import { takeSnapshot, type Snapshot } from '../snapshot.ts';
import type { ScheduledSource } from '../contract.ts';
import { JsonServer } from './http-json/testing/json-server.ts';
import { openHttpJson } from './http-json/testing/open-http-json.ts';

const document = {
  updated: 1_767_225_600,
  version: '2.1',
  users: 9_007_199_254_740_991,
  ratio: 0.25,
  healthy: true,
  nothing: null,
  queues: [
    { name: 'fast', length: 3, owner: 'a' },
    { name: 'slow', length: null },
    { name: 'new', length: 0, owner: null },
  ],
  by_arch: { amd64: 7, arm64: 2 },
  waits: { fast: 2, slow: 3, n: 4, total: 4.5 },
};

const gauge = (name: string, keys: object) => ({ name, type: 'gauge', help: 'A figure.', value: '$', ...keys });

const metrics = [
  gauge('site_users', { value: '$.users' }),
  gauge('site_healthy', { value: '$.healthy', staticLabels: { site: 'a' } }),
  gauge('site_queue_length', {
    nodes: '$.queues[*]',
    value: '$.length',
    labels: { queue: '$.name', owner: '$.owner' },
  }),
  gauge('site_jobs', { nodes: '$.by_arch.*', keyLabel: 'arch' }),
  { name: 'site_version_info', type: 'info', help: 'A version.', labels: { version: '$.version' } },
  {
    name: 'site_wait_seconds',
    type: 'histogram',
    help: 'Waits.',
    unit: 'seconds',
    nodes: '$.waits',
    buckets: { 10: '$.slow', 1: '$.fast' },
    count: '$.n',
    sum: '$.total',
  },
];

const server = new JsonServer(document);
const directory = mkdtempSync(join(tmpdir(), 'tonnage-http-json-'));
const opened: ScheduledSource[] = [];
const never = new AbortController().signal;

beforeAll(() => server.start());
afterEach(async () => {
  server.body = JSON.stringify(document);
  server.respond = undefined;
  for (const { collector } of opened.splice(0)) await collector.close?.();
});
afterAll(async () => {
  await server.stop();
  rmSync(directory, { recursive: true });
});

async function read(keys: object): Promise<Snapshot> {
  const source = await openHttpJson(keys);
  opened.push(source);
  return takeSnapshot(await source.collector.collect(never));
}

function linesOf({ families }: Snapshot): readonly string[] {
  const text = Buffer.concat([...encode(families, openMetrics)]).toString();
  return text.split('\n').filter((line) => /^[a-z]/.test(line));
}

describe('the contract of a collector', () => {
  collectorConformance({
    open: async () => (await openHttpJson({ url: server.url, metrics, auth: { bearer: 'hunter2' } })).collector,
    source: server,
    secrets: ['hunter2', '127.0.0.1'],
  });
});

describe('a document', () => {
  const lines = [
    'site_users 9007199254740991',
    'site_healthy{site="a"} 1',
    'site_queue_length{queue="fast",owner="a"} 3',
    'site_queue_length{queue="new",owner=""} 0',
    'site_jobs{arch="amd64"} 7',
    'site_jobs{arch="arm64"} 2',
    'site_version_info{version="2.1"} 1',
    'site_wait_seconds_bucket{le="1.0"} 2',
    'site_wait_seconds_bucket{le="10.0"} 3',
    'site_wait_seconds_bucket{le="+Inf"} 4',
    'site_wait_seconds_count 4',
    'site_wait_seconds_sum 4.5',
  ];

  test('by URL gives its metrics, and its time where it says so', async () => {
    const snapshot = await read({ url: server.url, metrics, timestamp: '$.updated' });
    expect(linesOf(snapshot)).toEqual(lines);
    expect(snapshot.dataTimestamp).toBe(1_767_225_600);
    expect((await read({ url: server.url, metrics })).dataTimestamp).toBeUndefined();
  });

  test('in a file gives the same metrics, and the time of the last write', async () => {
    const file = join(directory, 'status.json');
    writeFileSync(file, JSON.stringify(document));
    utimesSync(file, 1_700_000_000, 1_700_000_000);
    const snapshot = await read({ file, metrics });
    expect(linesOf(snapshot)).toEqual(lines);
    expect(snapshot.dataTimestamp).toBe(1_700_000_000);
  });

  test.each([
    ['{"v":12345678901234567890}', ['figure 12345678901234567890']],
    ['{"v":-9007199254740993}', ['figure -9007199254740993']],
    ['{"v":1e3}', ['figure 1000']],
    ['{"v":0.1}', ['figure 0.1']],
    ['{"v":false}', ['figure 0']],
    ['{"v":null}', []],
  ])('%s gives %j', async (body, expected) => {
    server.body = body;
    expect(linesOf(await read({ url: server.url, metrics: [gauge('figure', { value: '$.v' })] }))).toEqual(expected);
  });

  test.each([
    ['{}', 'expected a number in $.v of figure, got none'],
    ['{"v":"12"}', 'expected a number in $.v of figure, got the text "12"'],
    ['{"v":[1]}', 'expected a number in $.v of figure, got a list'],
    ['{"v":{}}', 'expected a number in $.v of figure, got an object'],
    ['{"v":1e999}', 'expected a number in $.v of figure, got Infinity'],
    ['{"v":1', 'expected a JSON document in UTF-8, got something else'],
    ['', 'expected a JSON document in UTF-8, got nothing'],
    ['\u{FEFF}{"v":1}', 'expected a JSON document in UTF-8, got something else'],
    [Buffer.from('{"v":1,"\xff":1}', 'latin1'), 'expected a JSON document in UTF-8, got something else'],
    [`{"v":1,"filler":"${'x'.repeat(2_000)}"}`, 'expected a document of at most 1024 bytes, got more'],
  ])('%s fails the read and says why', async (body, message) => {
    server.body = body;
    const failure = read({ url: server.url, bodyMax: '1KiB', metrics: [gauge('figure', { value: '$.v' })] });
    await expect(failure).rejects.toMatchObject({ errorClass: 'invalid', message });
  });

  test.each([
    [gauge('figure', { nodes: '$.queues[*]', value: '$.length', labels: {} }), 'expected each label set once'],
    [gauge('figure', { nodes: '$.absent', value: '$' }), 'expected a node at $.absent of figure, got none'],
    [gauge('figure', { value: '$.users', labels: { l: '$.queues' } }), 'expected the value of a label in $.queues'],
    [gauge('figure', { nodes: '$.waits.*', keyLabel: 'of' }), 'expected at most 3 nodes of figure, got more'],
  ])('%j fails the read', async (metric, message) => {
    const failure = read({ url: server.url, nodesMax: 3, metrics: [metric] });
    await expect(failure).rejects.toMatchObject({ errorClass: 'invalid', message: expect.stringContaining(message) });
  });

  test('with no nodes gives a family without series', async () => {
    const { families } = await read({ url: server.url, metrics: [gauge('figure', { nodes: '$.absent[*]' })] });
    expect(families).toMatchObject([{ name: 'figure', points: [] }]);
  });
});

describe('a request', () => {
  const figure = [gauge('figure', { value: '$.users' })];

  test('has the credentials and the headers of the configuration', async () => {
    const basic = { username: 'ann', password: 'hunter2' };
    await read({ url: server.url, metrics: figure, auth: { basic }, headers: { 'X-Site': 'berlin' } });
    expect(server.request?.headers).toMatchObject({
      authorization: `Basic ${Buffer.from('ann:hunter2').toString('base64')}`,
      'x-site': 'berlin',
    });
  });

  test.each([
    [301, 'invalid', 'expected the status 200, got 301, a redirect, which is not followed'],
    [401, 'denied', 'expected the status 200, got 401'],
    [404, 'invalid', 'expected the status 200, got 404'],
    [503, 'unreachable', 'expected the status 200, got 503'],
  ])('that is answered with %i fails as %s', async (status, errorClass, message) => {
    server.respond = (response) => response.writeHead(status, { location: '/other' }).end('{"users":1}');
    const failure = read({ url: server.url, metrics: figure });
    await expect(failure).rejects.toMatchObject({ errorClass, message });
  });

  test('whose body never ends fails at the limit of its size', async () => {
    server.respond = (response) => {
      const more = () => {
        while (!response.destroyed && response.write('x'.repeat(10_000)));
        if (!response.destroyed) response.once('drain', more);
      };
      more();
    };
    const failure = read({ url: server.url, metrics: figure });
    await expect(failure).rejects.toMatchObject({ message: 'expected a document of at most 1048576 bytes, got more' });
  });

  test('that is answered with a compressed body fails', async () => {
    server.respond = (response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end('x');
    await expect(read({ url: server.url, metrics: figure })).rejects.toMatchObject({ errorClass: 'invalid' });
  });
});

describe('a certificate', () => {
  const figure = [gauge('figure', { value: '$.users' })];
  let secure: Server;
  let url = '';
  let ca = '';

  beforeAll(async () => {
    const files = await makeCertificates(join(directory, 'tls'));
    const [cert, key] = [readFileSync(files.cert), readFileSync(files.key)];
    ca = readFileSync(files.ca, 'utf8');
    secure = createServer({ cert, key }, (_request, response) => response.end('{"users":7}'));
    secure.listen(0, '127.0.0.1');
    await once(secure, 'listening');
    const address = secure.address();
    url = `https://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/`;
  });
  afterAll(() => secure.close());

  test('of an unknown authority fails the read', async () => {
    await expect(read({ url, metrics: figure })).rejects.toMatchObject({
      errorClass: 'unreachable',
      message: 'no trusted authority has signed the certificate of the server',
    });
  });

  test('of a stated authority is accepted', async () => {
    expect(linesOf(await read({ url, metrics: figure, tls: { ca } }))).toEqual(['figure 7']);
  });

  test('is not checked with insecureSkipVerify, and the log warns of that', async () => {
    const warnings: string[] = [];
    const keys = { url, metrics: figure, tls: { insecureSkipVerify: true } };
    const source = await openHttpJson(keys, (_fields, message) => void warnings.push(message));
    opened.push(source);
    expect(linesOf(takeSnapshot(await source.collector.collect(never)))).toEqual(['figure 7']);
    expect(warnings).toEqual(['the certificate of this source is not checked (insecureSkipVerify)']);
  });
});

test.each([
  ['absent.json', 'unreachable'],
  ['', 'invalid'],
])('the file "%s" cannot be read: %s', async (name, errorClass) => {
  const failure = read({ file: join(directory, name), metrics: [gauge('figure', {})] });
  await expect(failure).rejects.toMatchObject({ errorClass });
});
