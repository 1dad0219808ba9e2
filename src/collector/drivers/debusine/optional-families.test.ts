import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { suitePostgres } from '../../../../test/support/postgres-suite.ts';
import { encode, openMetrics } from '../../../exposition/index.ts';
import { takeSnapshot } from '../../snapshot.ts';
import { optionalFamilies } from './optional-families.ts';
import { installSteps } from './summary/script.ts';
import { debusineSample, debusineSampleNow, debusineSchema } from './testing/database.ts';
import { golden, goldenNote, goldenNow, hasGolden } from './testing/golden.ts';
import { openSources } from './testing/open-debusine.ts';
import { differences, sampleKey, samplesOf, type Samples } from './testing/samples.ts';

const postgres = suitePostgres();

/** The samples of these optional families, each read as a source of its own. */
async function samplesFrom(database: string, now: Date, names: readonly string[]): Promise<Samples> {
  const families = Object.fromEntries(names.map((name) => [name, { timeout: '60s' }]));
  const [base, ...others] = await openSources(postgres.server.dsn(database), now, { families });
  expect(others.map(({ name }) => name)).toEqual(names.map((name) => `farm:${name}`));
  const read = [];
  for (const { collector } of others) {
    read.push(...takeSnapshot(await collector.collect(AbortSignal.timeout(120_000))).families);
  }
  await base?.collector.close?.();
  return samplesOf(Buffer.concat([...encode(read, openMetrics)]).toString());
}

/** More rows on both sides of the bounds of buckets, and texts that no release of Debusine writes. */
const moreRows = `
SELECT setseed(0.25);
INSERT INTO db_file SELECT 1000 + i, CASE i % 3 WHEN 0 THEN 4 ^ (5 + i % 14) WHEN 1 THEN 4 ^ (5 + i % 14) + 1 ELSE random() * 5000 END
  FROM generate_series(1, 300) AS i;
INSERT INTO db_artifact SELECT 1000 + i, 'test:' || i % 5, 1 + i % 3 FROM generate_series(1, 60) AS i;
INSERT INTO db_fileinartifact SELECT 1000 + i, 1001 + floor(random() ^ 3 * 55)::bigint, 1001 + floor(random() * 300)::bigint
  FROM generate_series(1, 1500) AS i;
INSERT INTO db_collection SELECT 1000 + i, 'test:' || i % 2, 1 + i % 3 FROM generate_series(1, 20) AS i;
INSERT INTO db_collectionitem SELECT 1000 + i, 1001 + floor(random() ^ 3 * 18)::bigint, CASE WHEN i % 4 = 0 THEN now() END
  FROM generate_series(1, 900) AS i;
INSERT INTO db_token SELECT 1000 + i, i % 7 <> 0, CASE WHEN i % 2 = 0 THEN 1 END,
    timestamptz '2026-06-15T08:30:00Z' + CASE i % 10 WHEN 0 THEN NULL WHEN 1 THEN interval '5 s' WHEN 2 THEN interval '-60 s'
      WHEN 3 THEN interval '-60.000001 s' WHEN 4 THEN interval '-365 days' ELSE -random() ^ 4 * interval '500 days' END
  FROM generate_series(1, 80) AS i;
INSERT INTO db_token VALUES (2000, true, NULL, 'infinity'), (2001, true, NULL, '-infinity');
INSERT INTO db_workrequest
  SELECT 1000 + i, 1 + i % 3, now(), 1, 'completed', NULL, 'Worker', (ARRAY['sbuild', 'lintian'])[1 + i % 2], '{}',
    jsonb_build_object('runtime_statistics', jsonb_build_object('duration', CASE i % 3 WHEN 0 THEN 60 ELSE round((random() ^ 4 * 1e6)::numeric, 3) END))
  FROM generate_series(1, 200) AS i;
INSERT INTO db_workrequest
  SELECT 2000 + i, 1, now(), 1, 'completed', NULL, 'Worker', 'odd', '{}', data::jsonb
  FROM unnest(ARRAY[NULL, 'null', '[]', '7', '{}', '{"runtime_statistics": null}', '{"runtime_statistics": 3}',
    '{"runtime_statistics": {"duration": null}}', '{"runtime_statistics": {"duration": "12"}}',
    '{"runtime_statistics": {"duration": [1]}}', '{"runtime_statistics": {"duration": -1}}',
    '{"runtime_statistics": {"duration": 1e400}}', '{"runtime_statistics": {"duration": 0}}']) WITH ORDINALITY AS t (data, i);`;

/** Each histogram by plain SQL: a row of label values and one observation. NULL: an observation that no finite bucket has. */
const plain: Readonly<Record<string, { labels: readonly string[]; sql: string; bounds: readonly number[] }>> = {
  artifact_file_counts: {
    labels: ['category', 'scope'],
    sql: `SELECT a.category, s.name, (SELECT count(*) FROM db_fileinartifact r WHERE r.artifact_id = a.id)
      FROM db_artifact a JOIN db_workspace w ON w.id = a.workspace_id JOIN db_scope s ON s.id = w.scope_id`,
    bounds: [0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000],
  },
  artifact_file_sizes: {
    labels: ['category', 'scope'],
    sql: `SELECT a.category, s.name, f.size FROM db_fileinartifact r JOIN db_file f ON f.id = r.file_id
      JOIN db_artifact a ON a.id = r.artifact_id JOIN db_workspace w ON w.id = a.workspace_id JOIN db_scope s ON s.id = w.scope_id`,
    bounds: [
      1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864, 268435456, 1073741824, 4294967296,
      17179869184,
    ],
  },
  collection_sizes: {
    labels: ['category', 'scope'],
    sql: `SELECT c.category, s.name, (SELECT count(*) FROM db_collectionitem i WHERE i.parent_collection_id = c.id AND i.removed_at IS NULL)
      FROM db_collection c JOIN db_workspace w ON w.id = c.workspace_id JOIN db_scope s ON s.id = w.scope_id`,
    bounds: [0, 1, 3, 10, 30, 100, 300, 1000, 3000, 10000, 30000, 100000, 300000, 1000000],
  },
  tokens_last_seen: {
    labels: ['user', 'worker'],
    sql: `SELECT CASE WHEN t.user_id IS NULL THEN '0' ELSE '1' END, CASE WHEN w.id IS NULL THEN '0' ELSE '1' END,
        CASE WHEN isfinite(t.last_seen_at) THEN greatest(0, extract(epoch FROM timestamptz '2026-06-15T08:30:00Z' - t.last_seen_at)) END
      FROM db_token t LEFT JOIN db_worker w ON w.token_id = t.id WHERE t.enabled`,
    bounds: [60, 3600, 86400, 259200, 604800, 1209600, 2592000, 7776000, 31536000],
  },
  task_execution_times: {
    labels: ['task_type', 'task_name', 'scope'],
    sql: `SELECT r.task_type, r.task_name, s.name, (r.output_data #>> '{runtime_statistics,duration}')::numeric
      FROM db_workrequest r JOIN db_workspace w ON w.id = r.workspace_id JOIN db_scope s ON s.id = w.scope_id
      WHERE jsonb_typeof(r.output_data #> '{runtime_statistics,duration}') = 'number'
        AND (r.output_data #>> '{runtime_statistics,duration}')::numeric BETWEEN 0 AND 1e12`,
    bounds: [1, 5, 15, 60, 300, 900, 1800, 3600, 7200, 14400, 28800, 86400, 259200, 604800],
  },
};

/** Buckets of the observations, counted here. Sums are compared on their own, because fractions are rounded. */
async function bucketsOf(client: Client, name: string): Promise<Samples> {
  const { labels, sql, bounds } = plain[name]!;
  const { rows } = await client.query<(string | null)[]>({ text: sql, rowMode: 'array' });
  const groups = new Map<string, { values: readonly string[]; seen: (number | null)[] }>();
  for (const row of rows) {
    const values = row.slice(0, -1).map(String);
    const group = groups.get(JSON.stringify(values)) ?? { values, seen: [] };
    const last = row.at(-1) ?? null;
    group.seen.push(last === null ? null : Number(last));
    groups.set(JSON.stringify(values), group);
  }
  const samples = new Map<string, number>();
  for (const { values, seen } of groups.values()) {
    const own = labels.map((label, index) => [label, values[index]!] as const);
    for (const bound of bounds) {
      const count = seen.filter((value) => value !== null && value <= bound).length;
      samples.set(sampleKey(`${name}_bucket`, new Map([...own, ['le', leOf(bound)]])), count);
    }
    samples.set(sampleKey(`${name}_bucket`, new Map([...own, ['le', '+Inf']])), seen.length);
    samples.set(sampleKey(`${name}_gcount`, new Map(own)), seen.length);
  }
  return samples;
}

/** A bound as OpenMetrics writes it. */
function leOf(bound: number): string {
  if (bound < 1e6) return `${bound}.0`;
  const [mantissa, exponent] = bound.toExponential().split('e+');
  return `${mantissa}e+${exponent!.padStart(2, '0')}`;
}

describe('the optional families', () => {
  const histograms = Object.keys(plain);
  const names = optionalFamilies.map(({ name }) => name);
  let database = '';
  let client: Client;
  beforeAll(async () => {
    database = await postgres.server.createDatabase(debusineSchema, debusineSample, moreRows);
    client = new Client(postgres.server.dsn(database));
    await client.connect();
  });
  afterAll(() => client.end());

  const inBuckets = (samples: Samples, name: string): Samples =>
    new Map([...samples].filter(([key]) => key.startsWith(`${name}_`) && !key.startsWith(`${name}_gsum`)));

  it.each(histograms)('%s is what plain SQL counts', async (name) => {
    const samples = await samplesFrom(database, debusineSampleNow, [name]);
    const expected = await bucketsOf(client, name);
    expect(expected.size).toBeGreaterThan(30);
    expect(differences(inBuckets(samples, name), expected)).toEqual([]);
  });

  it('sum what they count, without tokens that were never seen', async () => {
    const samples = await samplesFrom(database, debusineSampleNow, names);
    const total = (name: string) =>
      [...samples].reduce((sum, [key, value]) => (key.startsWith(`${name}_gsum{`) ? sum + value : sum), 0);
    for (const name of histograms) {
      const { rows } = await client.query<(string | null)[]>({ text: plain[name]!.sql, rowMode: 'array' });
      const expected = rows.reduce((sum, row) => sum + Number(row.at(-1) ?? 0), 0);
      // The sums are fractions, and one of them is beyond 2^53.
      expect(total(name) / expected, name).toBeCloseTo(1, 12);
    }
    const bytes = [...samples].filter(([key]) => key.startsWith('artifact_file_size{'));
    expect(bytes.reduce((sum, [, value]) => sum + value, 0) / total('artifact_file_sizes')).toBeCloseTo(1, 12);
  });

  it('are the same from the summary, and after it was changed', async () => {
    const summed = await postgres.server.createDatabase(debusineSchema, ...installSteps, debusineSample, moreRows);
    const ofFiles = names.filter((name) => name.startsWith('artifact_file_'));
    /** A summary that a trigger has failed to update is not read. */
    const failed = 'INSERT INTO tonnage.failure VALUES (now(), $$a trigger failed$$)';
    const expectSame = async () => {
      const fromSummary = await samplesFrom(summed, debusineSampleNow, ofFiles);
      await postgres.server.sql(summed, failed);
      const fromTables = await samplesFrom(summed, debusineSampleNow, ofFiles);
      await postgres.server.sql(summed, 'DELETE FROM tonnage.failure');
      expect(fromTables.size).toBeGreaterThan(100);
      expect(differences(fromSummary, fromTables)).toEqual([]);
    };
    await expectSame();
    await postgres.server.sql(
      summed,
      `DELETE FROM db_fileinartifact WHERE id % 3 = 0;
      UPDATE db_artifact SET category = 'changed', workspace_id = 2 WHERE id % 4 = 0;
      UPDATE db_file SET size = size * 2 WHERE id % 5 = 0;
      DELETE FROM db_artifact WHERE id % 11 = 0;`,
    );
    await expectSame();
    // Only a read of the summary shows that it is wrong.
    await postgres.server.sql(summed, 'UPDATE tonnage.file_sizes SET bytes = bytes + 1');
    await expect(expectSame()).rejects.toThrow('to deeply equal []');
  });
});

describe.runIf(hasGolden)(`artifact_file_size of a real Debusine${goldenNote}`, () => {
  it.each([
    ['small', 'small.sql', []],
    ['medium', 'medium.sql.gz', []],
    ['medium', 'medium.sql.gz', installSteps],
  ])('is that of the data set %s', async (name, data, steps) => {
    const database = await postgres.server.createDatabase(golden('schema-min.sql'), golden(data), ...steps);
    const lines = golden(`${name}.artifact_file_size.tsv`)
      .split('\n')
      .filter((line) => line !== '');
    const expected = lines.map((line) => {
      const [bytes, category = '', scope = ''] = line.split('\t');
      return [
        sampleKey(
          'artifact_file_size',
          new Map([
            ['category', category],
            ['scope', scope],
          ]),
        ),
        Number(bytes),
      ] as const;
    });
    expect(expected.length).toBeGreaterThan(5);
    const samples = await samplesFrom(database, goldenNow, ['artifact_file_size']);
    expect(differences(samples, new Map(expected))).toEqual([]);
  });
});
