import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { suitePostgres } from '../../../../test/support/postgres-suite.ts';
import { limits } from '../../../base/index.ts';
import { takeSnapshot } from '../../snapshot.ts';
import { debusineSample, debusineSampleNow, debusineSchema } from './testing/database.ts';
import { openBase } from './testing/open-debusine.ts';
import { workRequests } from './work-requests.ts';

/** What users and workers of Debusine write is bounded before it reaches this process. */
const postgres = suitePostgres();
let database = '';
beforeAll(async () => {
  database = await postgres.server.createDatabase(debusineSchema, debusineSample);
});

async function read(keys: object = {}) {
  const { collector } = await openBase(postgres.server.dsn(database), debusineSampleNow, keys);
  try {
    return takeSnapshot(await collector.collect(AbortSignal.timeout(60_000)));
  } finally {
    await collector.close?.();
  }
}

describe('free text of work requests', () => {
  const client = () => new Client(postgres.server.dsn(database));
  let reader: Client;
  beforeAll(async () => {
    await postgres.server.sql(
      database,
      `INSERT INTO db_workrequest
        SELECT (jsonb_populate_record(NULL::db_workrequest, to_jsonb(one) || jsonb_build_object(
          'id', 1000000 + number,
          'task_data', jsonb_build_object('backend', 'backend-' || number, 'host_architecture',
            CASE WHEN number <= 5000 THEN 'arch-' || number ELSE repeat(md5(number::text), 1000) END)))).*
        FROM (SELECT * FROM db_workrequest WHERE task_type = 'Worker' LIMIT 1) AS one, generate_series(1, 5100) AS number`,
    );
    reader = client();
    await reader.connect();
  });
  afterAll(() => reader.end());

  it('reaches this process as a bounded number of short texts', async () => {
    const [, query] = workRequests.queries;
    const read = async (sql = '') => (await reader.query<(string | null)[]>({ text: sql, rowMode: 'array' })).rows;
    const rows = await read(query?.sql.replace(/LIMIT \d+$/, 'LIMIT 5001'));
    expect([query?.sql.endsWith(`LIMIT ${limits.debusineGroupsMax + 1}`), rows.length]).toEqual([true, 5_001]);
    const texts = rows.flatMap(([backend, architecture]) => [backend ?? '', architecture ?? '']);
    expect(Math.max(...texts.map((text) => text.length))).toBe(limits.debusineTextCharactersMax + 1);
    const tooMany = Array.from({ length: limits.debusineGroupsMax + 1 }, () => ['', '', '1', '', '', '', '1']);
    expect(query?.exact?.isNeeded(tooMany)).toBe(true);
    expect(query?.exact?.isNeeded(tooMany.slice(1))).toBe(false);

    const folded = await read(query?.exact?.sql);
    for (const column of [0, 1]) {
      const distinct = new Set(folded.map((row) => row[column] ?? ''));
      // Those that are kept, the empty one and the mark of all others.
      expect(distinct.size).toBe(limits.debusineTextsMax + 2);
    }
  });

  it('counts as other beyond that', async () => {
    const { families } = await read({ zeroFill: 'none' });
    const family = families.find(({ name }) => name === 'work_requests');
    const total = [...(family?.points ?? [])].reduce(
      (sum, point) => sum + ('value' in point ? Number(point.value) : 0),
      0,
    );
    expect(String(total)).toBe(await postgres.server.sql(database, 'SELECT count(*) FROM db_workrequest'));
  });
});

describe('the metadata of a worker', () => {
  const set = (architectures: string) =>
    postgres.server.sql(
      database,
      `UPDATE db_worker SET static_metadata = '{"system:host_architecture": "amd64"}',
          dynamic_metadata = jsonb_build_object('system:architectures', ${architectures})
        WHERE worker_type = 'external'`,
    );
  const architectureLabels = async (): Promise<readonly string[]> =>
    [...(await read()).labelNames].filter((name) => name.startsWith('architecture_'));

  it('gives a bounded number of labels', async () => {
    await set(`(SELECT jsonb_agg('arch' || number) FROM generate_series(1, 300) AS number) || '["${'x'.repeat(33)}"]'`);
    const labels = await architectureLabels();
    expect(labels).toHaveLength(limits.debusineTextsMax);
    expect(labels).toContain('architecture_arch1');
  });

  it('fails the read with zeroFill: full, instead of filling the memory', async () => {
    await expect(read({ zeroFill: 'full' })).rejects.toThrow(
      `expected at most ${limits.sourceSeriesMax} series, got more`,
    );
  });

  it('counts as absent if it is far too large for a list', async () => {
    await set(`(SELECT jsonb_agg('arch' || number) FROM generate_series(1, 10000) AS number)`);
    expect(await architectureLabels()).toEqual([]);
  });
});
