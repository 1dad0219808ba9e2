import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { makeCertificates } from '../../test/support/redis-tls.ts';
import { debusineOptions } from '../collector/drivers/debusine/options.ts';
import { httpJsonOptions } from '../collector/drivers/http-json/options.ts';
import { sqlOptions } from '../collector/drivers/sql/options.ts';
import { createConfigReader } from './reader.ts';
import { createModel } from './schema.ts';
import { filledIn } from './testing/filled-in.ts';
import { readText } from './testing/read-text.ts';

const drivers = { debusine: debusineOptions, 'http-json': httpJsonOptions, sql: sqlOptions };
const reader = createConfigReader(drivers);
const { keys: allKeys } = createModel(drivers);

describe('every key is printed', () => {
  const common = {
    listen: '127.0.0.1:1',
    metrics: { listen: '127.0.0.1:2', orgs: true, compat: 'ociregistry', access: 'required' },
    data: '/var/lib/tonnage',
    publicUrl: 'https://pull.example.org',
    timeZone: 'Europe/Berlin',
    upstreams: {
      lab: {
        url: 'http://127.0.0.1:5001',
        aliases: ['l'],
        tagTtl: '5m',
        auth: { basic: { username: 'u', password: 'p' }, realm: 'https://auth.example.org/token' },
        redirects: ['a.example'],
        proxy: 'http://u:p@127.0.0.1:3128',
      },
    },
    gateway: { defaultUpstream: 'lab', anonymous: 'challenge', factsWait: '5s', fusionEntrypoint: '/fusion' },
    usage: {
      dimensions: ['org', 'user'],
      plain: ['user'],
      durability: 'relaxed',
      commitWait: '1s',
      dedupeDays: 3,
      detailDays: 30,
      heldKeysMax: 5_000,
      quantityMax: { '1': 5, By: '1KiB', s: '90s', kW: 7 },
      hashKey: 'a key of at least thirty-two characters',
      meters: { jobs: { eventType: 'org.example.job', unit: 'kW', quantity: 'power', description: 'Jobs.' } },
    },
    ingest: {
      distribution: { upstream: 'a.example', ignoreUpstreams: ['b.example:5000'], orgs: { team: 'c.example' } },
      harbor: { upstream: 'd.example', ignoreUpstreams: ['e.example'], orgs: { '*': 'f.example' } },
      zot: { upstream: 'g.example', orgs: { 'team/a': 'h.example' } },
    },
    users: {
      alice: { passwordHash: `sha256:${'0'.repeat(64)}`, email: 'a@b.example', org: 'b.example', rights: ['ingest'] },
    },
    identity: {
      platform: { endpoint: 'https://p.example', whenDown: 'refuse', timeout: '1s', cacheFor: '2s', staleFor: '3s' },
      oidc: [
        {
          issuer: 'https://i.example',
          audience: ['tonnage'],
          jwksUrl: 'https://i.example/keys',
          emailClaim: 'mail',
          orgClaim: 'org',
          rights: ['query'],
        },
      ],
      addresses: [{ cidr: '10.0.0.0/8', org: 'n.example' }],
    },
    trustedProxies: ['10.1.0.0/16'],
    log: { level: 'debug', access: true },
    shutdownTimeout: '7s',
    sources: [
      {
        name: 'farm',
        driver: 'debusine',
        interval: '2m',
        deadline: '1m',
        keepFor: '1d',
        labels: { site: 'a' },
        dsn: 'postgresql://u:p@127.0.0.1/debusine',
        path: 'farm',
        access: 'required',
        zeroFill: 'full',
        labelRules: 'document',
        activityType: 'gaugehistogram',
        signonProviders: ['salsa'],
        statementTimeout: '6s',
        families: {
          artifact_file_size: { interval: '10m', timeout: '30s' },
          artifact_file_counts: true,
          artifact_file_sizes: true,
          collection_sizes: true,
          tokens_last_seen: true,
          task_execution_times: true,
        },
      },
      {
        name: 'status',
        driver: 'http-json',
        url: 'https://status.example/json',
        headers: { 'X-Token': 't' },
        auth: { basic: { username: 'u', password: 'p' } },
        tls: { ca: '-----BEGIN CERTIFICATE-----', insecureSkipVerify: true },
        bodyMax: '2MiB',
        nodesMax: 9,
        timestamp: '$.time',
        metrics: [
          { name: 'jobs', type: 'gauge', help: 'Jobs.', nodes: '$.jobs[*]', value: '$', keyLabel: 'queue' },
          {
            name: 'wait_seconds',
            type: 'histogram',
            help: 'Wait.',
            unit: 'seconds',
            labels: { site: '$.site' },
            staticLabels: { shop: 'a' },
            buckets: { '0.5': '$.fast' },
            count: '$.n',
            sum: '$.total',
          },
        ],
      },
      {
        name: 'token',
        driver: 'http-json',
        file: '/var/lib/status.json',
        metrics: [{ name: 'users', type: 'gauge', help: 'Users.', value: '$.users' }],
      },
      {
        name: 'bearer',
        driver: 'http-json',
        url: 'http://status.example/json',
        auth: { bearer: 't' },
        metrics: [{ name: 'groups', type: 'gauge', help: 'Groups.', value: '$.groups' }],
      },
      {
        name: 'shop',
        driver: 'sql',
        dsn: 'mariadb://u:p@127.0.0.1/shop',
        queries: [
          {
            name: 'orders',
            sql: 'SELECT 1',
            interval: '5m',
            timeout: '2s',
            rowsMax: 7,
            timestamp: 'time',
            metrics: [
              { name: 'shop_orders', type: 'gauge', help: 'Orders.', value: 'n', labels: { status: 's' } },
              {
                name: 'shop_wait_seconds',
                type: 'histogram',
                help: 'Wait.',
                unit: 'seconds',
                staticLabels: { shop: 'a' },
                buckets: { '0.5': 'fast' },
                count: 'n',
                sum: 'total',
              },
            ],
          },
        ],
      },
    ],
  };
  const outbox = { outboxKeep: '2h', outboxKeepBytes: '2MiB', outboxMax: '5MiB', minReplicas: 1 };
  const redis = { driver: 'redis', username: 'u', password: 'p', ...outbox, allowEviction: true, besideWave: true };
  let stated: readonly object[];
  beforeAll(async () => {
    const directory = mkdtempSync(join(tmpdir(), 'tonnage-print-'));
    const { ca, cert, key } = await makeCertificates(directory);
    const pem = (file: string): string => readFileSync(file, 'utf8');
    const tls = { ca: pem(ca), cert: pem(cert), key: pem(key), servername: 's.example' };
    rmSync(directory, { recursive: true });
    const sentinel = { name: 'n', addresses: ['127.0.0.1:1'], username: 'u', password: 'p' };
    const stores = [
      { ...redis, url: 'rediss://127.0.0.1:1', tls },
      { ...redis, sentinel, tls: true },
      { ...redis, cluster: ['127.0.0.1:1', '[::1]:2'] },
    ];
    const metrics = { ...common.metrics, tls: { cert: tls.cert, key: tls.key } };
    stated = stores.map((store) => ({ ...common, metrics, store }));
  });

  test('and read again gives the same configuration, once secrets are filled in', () => {
    for (const each of [common, ...stated]) {
      const config = readText(stringify(each), { reader });
      const printed: unknown = parse(reader.print(config));
      const again = readText(stringify(filledIn(printed, each)), { reader });
      expect(again).toEqual(config);
      expect(reader.print(again)).toBe(reader.print(config));
    }
  });

  test('whether it is stated or holds its default', () => {
    const printed = stated.map((each): unknown => parse(reader.print(readText(stringify(each), { reader }))));
    const keys = [...allKeys.every()].map(([path]) => path);
    const secrets = new Set([...allKeys.every()].filter(([, info]) => info.secret).map(([path]) => path.join('.')));
    const isOtherForm = (path: string): boolean => path.endsWith('File') && secrets.has(path.slice(0, -'File'.length));
    const missing = keys
      .filter((path) => !isOtherForm(path.join('.')) && !printed.some((tree) => has(tree, path)))
      .map((path) => path.join('.'));
    expect(missing).toEqual([]);
  });

  /** Whether a key is somewhere in a tree: `NAME` stands for any name, `ITEM` for any item. */
  function has(tree: unknown, [step, ...rest]: readonly string[]): boolean {
    if (step === undefined) return true;
    if (typeof tree !== 'object' || tree === null) return false;
    const isAny = step === 'NAME' || step === 'ITEM';
    const below = Object.entries(tree).filter(([key]) => isAny || key === step);
    return below.some(([, child]) => has(child, rest));
  }
});
