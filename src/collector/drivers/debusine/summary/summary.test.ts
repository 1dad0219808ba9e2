import fc from 'fast-check';
import { Client, DatabaseError } from 'pg';
import { afterAll, describe, expect, it } from 'vitest';
import { scaled } from '../../../../../test/support/long.ts';
import { suitePostgres } from '../../../../../test/support/postgres-suite.ts';
import { debusineSample, debusineSchema } from '../testing/database.ts';
import { concurrentTransaction, randomTransaction, type RandomTransaction } from '../testing/summary-changes.ts';
import { installSteps, removeSteps } from './script.ts';

const postgres = suitePostgres();
const clients: Client[] = [];
afterAll(async () => {
  for (const client of clients) await client.end();
});

async function connect(database: string, role?: string): Promise<Client> {
  const client = new Client(postgres.server.dsn(database, role));
  client.on('error', () => undefined);
  clients.push(client);
  await client.connect();
  return client;
}

const withSummary = (...scripts: readonly string[]) =>
  postgres.server.createDatabase(debusineSchema, ...scripts, ...installSteps);

/** What the tables contain, in the form of the views, computed without SQL. */
async function expectExact(client: Client): Promise<void> {
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  const { rows: artifacts } =
    await client.query<Record<'id' | 'category' | 'workspace_id', string>>('SELECT * FROM db_artifact');
  const { rows: files } = await client.query<{ id: string; size: string }>('SELECT * FROM db_file');
  const { rows: held } = await client.query<{ artifact_id: string; file_id: string }>(
    'SELECT * FROM db_fileinartifact',
  );
  const { rows: sizes } = await client.query<object>('SELECT * FROM tonnage.artifact_file_sizes');
  const { rows: counts } = await client.query<object>('SELECT * FROM tonnage.artifact_file_counts');
  const { rows: state } = await client.query('SELECT * FROM tonnage.summary_state');
  await client.query('COMMIT');

  const byId = new Map(artifacts.map((each) => [each.id, each]));
  const sizeOf = new Map(files.map(({ id, size }) => [id, BigInt(size)]));
  const expectedSizes = new Sums();
  const filesOf = new Map<string, number>();
  for (const { artifact_id, file_id } of held) {
    filesOf.set(artifact_id, (filesOf.get(artifact_id) ?? 0) + 1);
    const artifact = byId.get(artifact_id);
    const size = sizeOf.get(file_id);
    if (artifact && size !== undefined) expectedSizes.add(artifact, sizeBounds, size);
  }
  const expectedCounts = new Sums();
  for (const artifact of artifacts) expectedCounts.add(artifact, countBounds, BigInt(filesOf.get(artifact.id) ?? 0));
  expect(textsOf(sizes)).toEqual(expectedSizes.texts());
  expect(textsOf(counts)).toEqual(expectedCounts.texts());
  expect(state).toEqual([{ version: 1, failure: null }]);
}

const sizeBounds = [
  1_024n,
  4_096n,
  16_384n,
  65_536n,
  262_144n,
  1_048_576n,
  4_194_304n,
  16_777_216n,
  67_108_864n,
  268_435_456n,
  1_073_741_824n,
  4_294_967_296n,
  17_179_869_184n,
];
const countBounds = [0n, 1n, 2n, 5n, 10n, 20n, 50n, 100n, 200n, 500n, 1_000n];

class Sums {
  readonly #sums = new Map<string, { count: number; sum: bigint }>();

  add(
    artifact: { readonly category: string; readonly workspace_id: string },
    bounds: readonly bigint[],
    value: bigint,
  ) {
    const bucket = bounds.filter((bound) => bound < value).length;
    const key = `${artifact.category} ${artifact.workspace_id} ${bucket}`;
    const { count, sum } = this.#sums.get(key) ?? { count: 0, sum: 0n };
    this.#sums.set(key, { count: count + 1, sum: sum + value });
  }

  texts(): readonly string[] {
    return [...this.#sums].map(([key, { count, sum }]) => `${key} ${count} ${sum}`).toSorted();
  }
}

const textsOf = (rows: readonly object[]) => rows.map((row) => Object.values(row).join(' ')).toSorted();

/** Runs the transaction. A statement that fails ends it; `codes` gets the code of the error. */
async function run(client: Client, { isolation, statements, end }: RandomTransaction, codes: string[]): Promise<void> {
  try {
    await client.query(`BEGIN ISOLATION LEVEL ${isolation}`);
    for (const statement of statements) await client.query(statement);
    await client.query(end);
  } catch (thrown) {
    if (!(thrown instanceof DatabaseError)) throw thrown;
    codes.push(thrown.code ?? '');
    await client.query('ROLLBACK');
  }
}

describe('the summary', () => {
  it.each([
    ['as installed', installSteps],
    // The triggers of every statement ask for a compaction, also before those of another table have recorded.
    ['with a compaction after each statement', installSteps.map((step) => step.replaceAll('/ 1000.0', '/ 1.0'))],
  ])('is exact after each of many random transactions, %s', async (_, steps) => {
    const client = await connect(await postgres.server.createDatabase(debusineSchema, debusineSample, ...steps));
    await expectExact(client);
    const transactions = fc.array(randomTransaction, { minLength: 40, maxLength: 60 });
    const property = fc.asyncProperty(transactions, async (all) => {
      await client.query('DELETE FROM db_fileinartifact; DELETE FROM db_artifact; DELETE FROM db_file');
      for (const transaction of all) {
        const codes: string[] = [];
        await run(client, transaction, codes);
        // A statement may give an artifact an id that another one has.
        expect(codes.filter((code) => code !== '23505')).toEqual([]);
        await expectExact(client);
      }
    });
    await fc.assert(property, { numRuns: scaled(5, 100), endOnFailure: true });
  });

  it('is exact, and nothing fails or waits, while several clients change it', async () => {
    const database = await withSummary(debusineSample);
    const codes: string[] = [];
    const seed = Math.trunc(performance.now());
    let running = true;
    const writers = [1, 2, 3, 4, 5, 6].map(async (index) => {
      const client = await connect(database);
      for (const transaction of fc.sample(concurrentTransaction, {
        numRuns: scaled(400, 10_000),
        seed: seed + index,
      })) {
        await run(client, transaction, codes);
      }
    });
    const reader = connect(database).then(async (client) => {
      let reads = 0;
      for (; running; reads += 1) await expectExact(client);
      return reads;
    });
    await Promise.all(writers).finally(() => (running = false));
    expect(await reader, `seed ${seed}`).toBeGreaterThan(3);
    expect(codes, `seed ${seed}`).toEqual([]);
    await expectExact(await connect(database));
  });

  it('is removed without a trace, and may be installed twice', async () => {
    const database = await postgres.server.createDatabase(debusineSchema, debusineSample);
    const before = await postgres.server.sql(database, schemaObjects);
    expect(before).toContain('db_fileinartifact');
    for (const step of [...installSteps, ...installSteps]) await postgres.server.sql(database, step);
    await expectExact(await connect(database));
    expect(await postgres.server.sql(database, schemaObjects)).not.toBe(before);
    for (const step of [...removeSteps, ...removeSteps]) await postgres.server.sql(database, step);
    expect(await postgres.server.sql(database, schemaObjects)).toBe(before);
  });
});

/** Every schema, relation, function, trigger and right of a database, a line each. */
const schemaObjects = `
SELECT nspname, nspacl::text FROM pg_namespace WHERE nspname !~ '^pg_(toast|temp)' ORDER BY 1;
SELECT relname, relkind, relacl::text FROM pg_class WHERE relname !~ '^pg_' AND relkind <> 't' ORDER BY 1;
SELECT proname FROM pg_proc JOIN pg_namespace AS n ON n.oid = pronamespace WHERE nspname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1;
SELECT tgname FROM pg_trigger ORDER BY 1;`;
