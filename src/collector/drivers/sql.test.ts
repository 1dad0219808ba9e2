import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { encode, openMetrics } from '../../exposition/index.ts';
import type { ScheduledSource } from '../contract.ts';
import { takeSnapshot } from '../snapshot.ts';
import { suiteDatabases } from './sql/testing/databases.ts';
import { openSql } from './sql/testing/open-sql.ts';
import { shopLines, shopQueries, shopSchema } from './sql/testing/shop.ts';

const databases = suiteDatabases();
const opened: ScheduledSource[] = [];

afterEach(async () => {
  for (const { collector } of opened.splice(0)) await collector.close?.();
});

async function open(...args: Parameters<typeof openSql>): Promise<ScheduledSource> {
  const sources = await openSql(...args);
  opened.push(...sources);
  const [first] = sources;
  if (first === undefined) throw new Error('expected a source');
  return first;
}

const never = new AbortController().signal;

/** A query with one gauge, whose value is in the column `v` and whose label `l` in the column `l`. */
const gaugeQuery = (sql: string, keys: object = {}) => ({
  name: 'q',
  sql,
  metrics: [{ name: 'figure', type: 'gauge', help: 'A figure.', value: 'v', labels: { l: 'l' } }],
  ...keys,
});

describe.each(Object.entries(databases))('%s', (kind, databasesOfKind) => {
  let dsn = '';
  beforeAll(async () => {
    dsn = await databasesOfKind.create(shopSchema);
  });

  const read = async (query: object) => {
    const { collector } = await open(dsn, [query]);
    return takeSnapshot(await collector.collect(never));
  };
  const lines = async (query: object) => {
    const { families } = await read(query);
    return Buffer.concat([...encode(families, openMetrics)])
      .toString()
      .split('\n')
      .filter((line) => /^[a-z]/.test(line));
  };

  test('gives the same metrics as every other database', async () => {
    const { collector } = await open(dsn, shopQueries);
    const snapshot = takeSnapshot(await collector.collect(never));
    const text = Buffer.concat([...encode(snapshot.families, openMetrics)]).toString();
    expect(text.trimEnd().split('\n').toSorted()).toEqual(shopLines.toSorted());
    expect(snapshot.dataTimestamp).toBe(1_767_225_604);
  });

  test.each([
    ['SELECT id AS v, status AS l FROM orders WHERE id = 99', []],
    ['SELECT NULL AS v, 1 AS l', []],
    ['SELECT 1 AS v, NULL AS l', ['figure{l=""} 1']],
    ['SELECT 9007199254740993 AS v, 9007199254740993 AS l', ['figure{l="9007199254740993"} 9007199254740993']],
    ['SELECT 1 = 1 AS v, 2.50 AS l', ['figure{l="2.5"} 1']],
  ])('%s gives its documented series', async (sql, expected) => {
    expect(await lines(gaugeQuery(sql))).toEqual(expected);
  });

  test.each([
    [`SELECT 'many' AS v, 1 AS l`, 'invalid', 'expected a number in column "v" of query "q", got the text "many"'],
    [`SELECT '12' AS v, 1 AS l`, 'invalid', 'expected a number in column "v" of query "q", got the text "12"'],
    ['SELECT 1 AS v, 1 AS l UNION ALL SELECT 2, 1', 'invalid', 'figure{l="1"}: expected each label set once'],
    ['SELECT 1 AS v, 1 AS m', 'invalid', 'expected one column "l" in query "q", got "v", "m"'],
    ['SELECT nothing AS v FROM orders', 'invalid', 'query "q": '],
    ['SELECT 1 AS v, 1 AS l FROM nothing', 'invalid', 'query "q": '],
    ['SELEKT 1', 'invalid', 'query "q": '],
    ['SELECT 1 AS v, 1 AS l; SELECT 2 AS v, 1 AS l', 'invalid', 'query "q": '],
    ['SELECT 1 AS v, 1 AS l; DELETE FROM orders', 'invalid', 'query "q": '],
    ['DELETE FROM orders', 'invalid', 'query "q": '],
    ['DROP TABLE orders', 'invalid', 'query "q": '],
    ['COMMIT', 'invalid', 'query "q": '],
  ])('%s fails as %s and changes nothing', async (sql, errorClass, message) => {
    const failure = read(gaugeQuery(sql));
    await expect(failure).rejects.toMatchObject({ errorClass, message: expect.stringContaining(message) });
    expect(await lines(gaugeQuery('SELECT count(*) AS v, 1 AS l FROM orders'))).toEqual(['figure{l="1"} 5']);
  });

  test('a million rows fail the read before they fill the memory', async () => {
    const digits =
      '(SELECT 0 AS d UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5 UNION SELECT 6 UNION SELECT 7 UNION SELECT 8 UNION SELECT 9)';
    const million = `SELECT a.d AS v, a.d + 10 * b.d + 100 * c.d + 1000 * e.d + 10000 * f.d + 100000 * g.d AS l FROM ${['a', 'b', 'c', 'e', 'f', 'g'].map((name) => `${digits} ${name}`).join(' CROSS JOIN ')}`;
    await expect(read(gaugeQuery(million))).rejects.toMatchObject({
      errorClass: 'invalid',
      message: 'expected at most 10000 rows of query "q", got more',
    });
  });

  test('a query that never ends fails at its timeout, and the next read succeeds', async () => {
    const endless = `WITH RECURSIVE r AS (SELECT 1 AS v UNION ALL SELECT 1 - v FROM r${kind === 'MariaDB' ? ', orders a, orders b, orders c' : ''}) SELECT count(*) AS v, 1 AS l FROM r`;
    const { collector } = await open(dsn, [gaugeQuery(endless, { timeout: '300ms' })]);
    await expect(collector.collect(never)).rejects.toMatchObject({ errorClass: 'timeout' });
    expect(await lines(gaugeQuery('SELECT 1 AS v, 2 AS l'))).toEqual(['figure{l="2"} 1']);
  });

  test('rows without a value are logged once until all rows have one again', async () => {
    const warnings: unknown[] = [];
    const query = gaugeQuery('SELECT amount AS v, id AS l FROM orders');
    const { collector } = await open(dsn, [query], { warn: (fields) => void warnings.push(fields) });
    await collector.collect(never);
    await collector.collect(never);
    expect(warnings).toEqual([{ metric: 'figure', rows: 1 }]);
  });

  test('a query with an interval is a source of its own, which takes turns with the others', async () => {
    const sources = await openSql(dsn, [shopQueries[0], { ...shopQueries[1], interval: '5m' }]);
    opened.push(...sources);
    expect(sources.map(({ name, intervalMs, deadlineMs }) => ({ name, intervalMs, deadlineMs }))).toEqual([
      { name: 'shop', intervalMs: 60_000, deadlineMs: 10_000 },
      { name: 'shop:totals', intervalMs: 300_000, deadlineMs: 19_000 },
    ]);
    expect(sources[0]?.turns).toBe(sources[1]?.turns);
    const names = [];
    for (const { collector } of sources) {
      names.push(takeSnapshot(await collector.collect(never)).families.map(({ name }) => name));
    }
    expect(names).toEqual([
      ['shop_orders', 'shop_amount'],
      ['shop_largest_bytes', 'shop_placed', 'shop_version', 'shop_weight_kilograms'],
    ]);
  });
});
