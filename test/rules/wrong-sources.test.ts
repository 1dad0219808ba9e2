import { describe, expect, test } from 'vitest';
import { configReader } from '../../src/app.ts';

/** A wrong source of the driver `sql`, by its lines after `driver`. */
const sql = (lines: string) => `sources:
  - name: shop
    driver: sql
    dsn: postgresql://u:hunter2@db.example.org/shop
${lines}`;

const query = (lines: string) =>
  sql(`    queries:
      - name: orders
        sql: SELECT 1 AS n
${lines}`);

const metric = (lines: string) =>
  query(`        metrics:
          - name: shop_orders
${lines}`);

const gauge = (lines: string) =>
  metric(`            type: gauge
            help: Orders.
${lines}`);

const json = (lines: string) => `sources:
  - name: status
    driver: http-json
${lines}`;

const jsonMetric = (lines: string) =>
  json(`    url: https://status.example.org/
    metrics:
      - name: users
        type: gauge
        help: Users.
${lines}`);

const jsonUrl = (lines: string) =>
  json(`    metrics: [{ name: users, type: gauge, help: Users., value: $.users }]
${lines}`);

describe('a wrong source is one line with its place, its key, what was expected and what came', () => {
  test.each([
    // The DSN.
    [sql('').replace('postgresql:', 'oracle:'), '4:10: sources[0].dsn: expected a URL such as "postgresql://USER'],
    [sql('').replace(/dsn: .*/, 'dsn: mariadb://u@h/d?charset=utf8'), '4:10: sources[0].dsn: expected a URL such as'],
    [sql('').replace(/dsn: .*/, 'dsn: sqlite:shop.sqlite'), '4:10: sources[0].dsn: expected a URL such as'],
    [sql('').replace(/ {4}dsn: .*\n/, ''), '2:5: sources[0]: expected dsn or dsnFile, but both are missing'],
    // Queries.
    [sql(''), '2:5: sources[0].queries: expected a list, but it is missing'],
    [sql('    queries: []'), '5:14: sources[0].queries: expected at least one query, but came an empty list'],
    [query(''), '6:9: sources[0].queries[0].metrics: expected a list, but it is missing'],
    [query('        metrics: []'), '8:18: sources[0].queries[0].metrics: expected at least one metric'],
    [query('        rowMax: 7'), '8:9: sources[0].queries[0].rowMax: unknown key; did you mean rowsMax?'],
    [
      query('        rowsMax: 1000000'),
      '8:18: sources[0].queries[0].rowsMax: expected a whole number from 1 to 100000',
    ],
    [
      gauge('            value: n\n        timeout: 1m'),
      '13:18: sources[0].queries[0].timeout: expected less than the 10s of deadline, but came "1m"',
    ],
    [
      gauge('            value: n\n        interval: 5s\n        timeout: 7s'),
      '14:18: sources[0].queries[0].timeout: expected less than the 5s of interval, but came "7s"',
    ],
    [
      gauge(
        '            value: n\n      - { name: orders, sql: SELECT 1, metrics: [{ name: a, type: info, help: A }] }',
      ),
      '13:17: sources[0].queries[1].name: expected a name that no other query has, but "orders" came before',
    ],
    // Metrics.
    [metric('            type: gauge\n            value: n'), 'metrics[0].help: expected a text that says what'],
    [metric('            help: Orders.\n            value: n'), 'metrics[0].type: expected "gauge", "counter"'],
    [metric('            type: guage'), '10:19: sources[0].queries[0].metrics[0].type: expected "gauge"'],
    [gauge(''), '9:13: sources[0].queries[0].metrics[0]: expected value, which a gauge needs, but it is missing'],
    [
      gauge('            value: n\n            sum: s'),
      '13:18: sources[0].queries[0].metrics[0].sum: expected another type',
    ],
    [
      gauge('            value: n').replace('shop_orders', 'shop-orders'),
      '9:19: sources[0].queries[0].metrics[0].name: expected the name of a metric (letters',
    ],
    [
      gauge('            value: n').replace('shop_orders', 'tonnage_orders'),
      '9:19: sources[0].queries[0].metrics[0].name: expected a name that does not begin with tonnage_, as those of',
    ],
    [
      gauge('            value: n\n            unit: bytes'),
      '9:19: sources[0].queries[0].metrics[0].name: expected a name that ends with its unit, _bytes, but came "shop_orders"',
    ],
    [
      gauge('            value: n\n            labels: { le: status }'),
      '13:23: sources[0].queries[0].metrics[0].labels.le: expected the name of a label (letters',
    ],
    [
      gauge('            value: n\n            labels: { status: status }\n            staticLabels: { status: a }'),
      'metrics[0].staticLabels.status: expected a label that is not in labels too',
    ],
    [
      gauge('            value: n\n          - { name: shop_orders, type: gauge, help: Orders., value: m }'),
      '13:21: sources[0].queries[0].metrics[1].name: its sample name shop_orders clashes with gauge shop_orders',
    ],
    [
      gauge(
        '            value: n\n          - { name: shop, type: histogram, help: A, buckets: { 1: a, 1.0: b }, count: n }',
      ),
      'sources[0].queries[0].metrics[1].buckets["1.0"]: expected each bound once',
    ],
    [
      gauge(
        '            value: n\n          - { name: shop, type: histogram, help: A, buckets: { +Inf: a }, count: n }',
      ),
      'sources[0].queries[0].metrics[1].buckets["+Inf"]: expected a finite upper bound as a number',
    ],
    [
      gauge('            value: n\n          - { name: shop, type: histogram, help: A, buckets: { 1: a } }'),
      '13:13: sources[0].queries[0].metrics[1]: expected count, which a histogram needs, but it is missing',
    ],
    [
      gauge('            value: n\n    labels: { status: a }').replace(
        'value: n',
        'value: n\n            labels: { status: s }',
      ),
      '14:15: sources[0].labels.status: expected a label that the driver does not use',
    ],
    // JSON over HTTP.
    [jsonUrl(''), '2:5: sources[0]: expected url or file, but both are missing'],
    [
      jsonUrl('    url: https://a.example/\n    file: /a.json'),
      '6:11: sources[0].file: expected url or file, but came both',
    ],
    [jsonUrl('    url: ftp://a.example/'), '5:10: sources[0].url: expected an http or https URL without user'],
    [jsonUrl('    url: https://u:hunter2@a.example/'), '5:10: sources[0].url: expected an http or https URL'],
    [jsonUrl('    file: status.json'), '5:11: sources[0].file: expected the absolute path of a file'],
    [
      jsonUrl('    file: /a.json\n    auth: { bearer: hunter2 }'),
      '6:11: sources[0].auth: expected no auth, because a file',
    ],
    [
      jsonUrl('    url: https://a.example/\n    auth: {}'),
      '6:11: sources[0].auth: expected basic or bearer, but came none',
    ],
    [
      jsonUrl('    url: https://a.example/\n    auth: { bearer: a, basic: { username: u, password: p } }'),
      '6:11: sources[0].auth: expected basic or bearer, but came both',
    ],
    [
      jsonUrl('    url: http://a.example/\n    tls: { insecureSkipVerify: true }'),
      '6:10: sources[0].tls: expected an https URL',
    ],
    [
      jsonUrl('    url: https://a.example/\n    bodyMax: 1GiB'),
      '6:14: sources[0].bodyMax: expected at most 16MiB, but came "1GiB"',
    ],
    [
      jsonUrl('    url: https://a.example/\n    headers: { Host: a }'),
      '6:16: sources[0].headers.Host: expected the name of a header',
    ],
    [jsonMetric('        value: users'), '9:16: sources[0].metrics[0].value: expected a JSONPath (RFC 9535) such as'],
    [
      jsonMetric('        value: $..users'),
      '9:16: sources[0].metrics[0].value: expected a JSONPath (RFC 9535) such as',
    ],
    [
      jsonMetric('        value: $.users\n        nodes: $['),
      '10:16: sources[0].metrics[0].nodes: expected a JSONPath',
    ],
    [
      jsonMetric('        value: $.users\n        keyLabel: quantile'),
      '10:19: sources[0].metrics[0].keyLabel: expected the name of a',
    ],
  ])('%s', (text, expected) => {
    const file = { name: 'tonnage.yaml', text, directory: '/' };
    let message = '';
    try {
      configReader.read({ file, environment: {}, workingDirectory: '/', readSecret: () => '' });
    } catch (thrown) {
      message = String(thrown);
    }
    expect(message).toContain(expected);
    expect(message).toMatch(/tonnage\.yaml:\d+:\d+: sources/);
    expect(message).not.toContain('hunter2');
  });
});
