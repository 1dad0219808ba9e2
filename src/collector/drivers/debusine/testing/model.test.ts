import fc from 'fast-check';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { suitePostgres } from '../../../../../test/support/postgres-suite.ts';
import { debusineSchema } from './database.ts';
import { edgeCases, golden, goldenNote, goldenNow, hasGolden } from './golden.ts';
import { modelOf, type ModelOptions } from './model.ts';
import { randomDebusine } from './random-rows.ts';
import { loadRows, readRows } from './rows.ts';
import { differences, samplesOf, type Samples } from './samples.ts';

const postgres = suitePostgres();
const clients: Client[] = [];
afterAll(async () => {
  for (const client of clients) await client.end();
});

/** A connection to a new database with these scripts. */
async function connect(...scripts: readonly string[]): Promise<Client> {
  const client = new Client(postgres.server.dsn(await postgres.server.createDatabase(...scripts)));
  // The server ends the connection if the tests fail before `afterAll`.
  client.on('error', () => undefined);
  clients.push(client);
  await client.connect();
  return client;
}

const real: ModelOptions = {
  now: goldenNow.getTime() * 1_000,
  zeroFill: 'full',
  labelRules: 'real',
  signonProviders: [],
};

describe.runIf(hasGolden)(`the model and the pages of a real Debusine${goldenNote}`, () => {
  it.each([
    ['small', 'small.sql'],
    ['medium', 'medium.sql.gz'],
  ])('agree on the data set %s', async (name, data) => {
    const client = await connect(golden('schema-min.sql'), golden(data));
    const samples = modelOf(await readRows(client), { ...real, signonProviders: ['salsa'] });
    for (const format of ['openmetrics', 'prometheus']) {
      expect(differences(samples, samplesOf(golden(`${name}.${format}.txt.gz`)))).toEqual([]);
    }
  });

  // Two cases are left out: a name of an architecture that makes no legal label, and a text in the place of a list.
  const wanted = edgeCases().filter(
    ({ series, name }) => series !== undefined && !/arch_hyphen|string_not_list/.test(name),
  );
  let small: Client;
  beforeAll(async () => {
    small = await connect(golden('schema-min.sql'), golden('small.sql'));
  });
  it.each(wanted)('agree on the case $name', async (edge) => {
    const before = modelOf(await readRows(small), real);
    await small.query(`BEGIN; ${edge.sql}`);
    const after = modelOf(await readRows(small), real);
    await small.query('ROLLBACK');

    // The real page has some series twice, which the model adds up.
    const doubled = samplesOf(edge.duplicate_series.join('\n'), { duplicates: 'sum' });
    expect(after.size).toBe((edge.series ?? 0) - edge.duplicate_series.length + doubled.size);
    for (const [lines, actual] of [
      [edge.added_nonzero, changes(before, after)],
      [edge.removed_nonzero, changes(after, before)],
    ] as const) {
      const listed = samplesOf(lines.join('\n'), { duplicates: 'sum' });
      const expected = new Map([...listed].map(([key, value]) => [key, doubled.get(key) ?? value]));
      const isComplete = lines.length < 40 && doubled.size === 0;
      const compared = isComplete ? actual : new Map([...actual].filter(([key]) => expected.has(key)));
      expect(differences(compared, expected)).toEqual([]);
    }
  });
});

/** The samples of `to` that `from` does not have, or has with another value, apart from zeros. */
function changes(from: Samples, to: Samples): Samples {
  return new Map([...to].filter(([key, value]) => value !== 0 && from.get(key) !== value));
}

describe('random rows', () => {
  it('are the same in the database as in memory', async () => {
    const client = await connect(debusineSchema);
    const property = fc.asyncProperty(randomDebusine, async ({ rows }) => {
      await loadRows(client, rows);
      expect(await readRows(client)).toEqual(rows);
    });
    await fc.assert(property, { numRuns: 20 });
  });
});
