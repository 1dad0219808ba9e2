import fc from 'fast-check';
import { Client, DatabaseError } from 'pg';
import { afterAll, describe, expect, it } from 'vitest';
import { scaled } from '../../../../../test/support/long.ts';
import { suitePostgres } from '../../../../../test/support/postgres-suite.ts';
import { debusineSample, debusineSchema } from '../testing/database.ts';
import { expectExact } from '../testing/summary-exact.ts';
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
