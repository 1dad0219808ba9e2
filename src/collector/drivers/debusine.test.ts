import { beforeAll, expect, it } from 'vitest';
import { suitePostgres } from '../../../test/support/postgres-suite.ts';
import { encode, openMetrics } from '../../exposition/index.ts';
import { takeSnapshot } from '../snapshot.ts';
import { debusineSample, debusineSampleNow, debusineSchema } from './debusine/testing/database.ts';
import { modelOf } from './debusine/testing/model.ts';
import { openBase } from './debusine/testing/open-debusine.ts';
import { differences, samplesOf } from './debusine/testing/samples.ts';
import { readRows } from './debusine/testing/rows.ts';
import { Client } from 'pg';

const postgres = suitePostgres();
let dsn = '';

beforeAll(async () => {
  dsn = postgres.server.dsn(await postgres.server.createDatabase(debusineSchema, debusineSample));
});

const settings = ['full', 'bounded', 'none'].flatMap((zeroFill) =>
  ['real', 'document'].map((labelRules) => ({ zeroFill, labelRules })),
) as { zeroFill: 'full' | 'bounded' | 'none'; labelRules: 'real' | 'document' }[];

it.each(settings)('its page of the sample is that of the model with $zeroFill, $labelRules', async (keys) => {
  const signonProviders = ['salsa', 'gitlab'];
  const { collector } = await openBase(dsn, debusineSampleNow, { ...keys, signonProviders });
  const { families } = takeSnapshot(await collector.collect(new AbortController().signal));
  await collector.close?.();
  const client = new Client(dsn);
  await client.connect();
  const model = modelOf(await readRows(client), { ...keys, signonProviders, now: debusineSampleNow.getTime() * 1_000 });
  await client.end();
  const page = Buffer.concat([...encode(families, openMetrics)]).toString();
  expect(differences(samplesOf(page), model)).toEqual([]);
});
