import fc from 'fast-check';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encode, openMetrics, parse } from '../../../exposition/index.ts';
import { scaled } from '../../../../test/support/long.ts';
import { suitePostgres } from '../../../../test/support/postgres-suite.ts';
import { debusineSampleNow, debusineSchema } from './testing/database.ts';
import { modelOf } from './testing/model.ts';
import { openBase } from './testing/open-debusine.ts';
import { randomDebusine } from './testing/random-rows.ts';
import { loadRows, noRows, type DebusineRows } from './testing/rows.ts';
import { differences, samplesOf } from './testing/samples.ts';

/** The driver over a real PostgreSQL and the model over the same rows in memory give the same samples. */
const postgres = suitePostgres();
const zeroFills = ['full', 'bounded', 'none'] as const;
const labelRules = ['real', 'document'] as const;
const modes = zeroFills.flatMap((zeroFill) => labelRules.map((rules) => ({ zeroFill, labelRules: rules })));
const signonProviders = ['salsa', 'gitlab', 'a "provider" without users'];

let dsn: string;
let client: Client;
beforeAll(async () => {
  dsn = postgres.server.dsn(await postgres.server.createDatabase(debusineSchema));
  client = new Client(dsn);
  await client.connect();
});
afterAll(() => client.end());

/** Compares the driver in each mode with the model. `now` is in microseconds. */
async function expectAgreement(rows: DebusineRows, now: number): Promise<void> {
  for (const mode of modes) {
    const page = await pageOf({ ...mode, signonProviders }, now);
    const found = differences(samplesOf(page), modelOf(rows, { now, signonProviders, ...mode }));
    expect({ mode, differences: found }).toEqual({ mode, differences: [] });
  }
}

/** What the driver reads now, as OpenMetrics that our strict parser accepts. */
async function pageOf(keys: object, now: number): Promise<string> {
  const { collector } = await openBase(dsn, new Date(now / 1_000), keys);
  try {
    const collected = await collector.collect(AbortSignal.timeout(60_000));
    const families = 'families' in collected ? collected.families : collected;
    const page = Buffer.concat([...encode(families, openMetrics)]).toString();
    parse(page, { format: 'openmetrics' });
    return page;
  } finally {
    await collector.close?.();
  }
}

describe('the driver and the model agree', () => {
  it(`on ${scaled(20, 200)} random databases, in every mode`, { timeout: scaled(120_000, 1_800_000) }, async () => {
    const property = fc.asyncProperty(randomDebusine, async ({ rows, now }) => {
      await loadRows(client, rows);
      await expectAgreement(rows, now);
    });
    // A failure prints the seed and the smallest database found.
    await fc.assert(property, { numRuns: scaled(20, 200), endOnFailure: false });
  });

  it('on more names of architectures and backends than the page may have, of which the most frequent stay', async () => {
    const names = Array.from({ length: 80 }, (_, index) => `arch-${index}`);
    // As many rows as the rest of a division by seven leaves, so that many names have equally many.
    const requests = names.flatMap((host_architecture, index) =>
      Array.from({ length: 1 + (index % 7) }, () => ({ host_architecture, backend: `${host_architecture}-backend` })),
    );
    const now = debusineSampleNow.getTime() * 1_000;
    const rows: DebusineRows = {
      ...noRows,
      db_scope: [{ id: 1, name: 'farm' }],
      db_workspace: [{ id: 1, public: true, expiration_delay: null, scope_id: 1 }],
      db_workrequest: requests.map((task_data, index) => ({
        id: index + 1,
        workspace_id: 1,
        created_at: now,
        created_by_id: 1,
        status: 'pending',
        worker_id: null,
        task_type: 'Worker',
        task_name: 'sbuild',
        task_data,
        output_data: null,
        parent_id: null,
      })),
    };
    await loadRows(client, rows);
    await expectAgreement(rows, now);
  });

  it('on a pool without a name, as which workers of no pool appear', async () => {
    const now = debusineSampleNow.getTime() * 1_000;
    const worker = {
      worker_type: 'external',
      connected_at: null,
      instance_created_at: null,
      token_id: null,
      activation_token_id: null,
      static_metadata: {},
      dynamic_metadata: { 'system:host_architecture': 'amd64', 'system:architectures': ['amd64'] },
    };
    const rows: DebusineRows = {
      ...noRows,
      db_workerpool: [{ id: 1, name: '' }],
      db_worker: [
        { ...worker, id: 1, worker_pool_id: 1 },
        { ...worker, id: 2, worker_pool_id: null },
      ],
    };
    await loadRows(client, rows);
    await expectAgreement(rows, now);
  });
});
