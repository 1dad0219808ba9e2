import { beforeAll, describe } from 'vitest';
import { suitePostgres } from '../../../test/support/postgres-suite.ts';
import { collectorConformance } from '../conformance.ts';
import { breakablePostgres } from './debusine/testing/breakable-postgres.ts';
import { debusineSample, debusineSampleNow, debusineSchema } from './debusine/testing/database.ts';
import { openBase } from './debusine/testing/open-debusine.ts';

const postgres = suitePostgres();
let database = '';
const dsn = () => postgres.server.dsn(database);

beforeAll(async () => {
  database = await postgres.server.createDatabase(debusineSchema, debusineSample);
});

describe('the contract of a collector', () => {
  collectorConformance({
    open: async () => (await openBase(dsn(), debusineSampleNow, { statementTimeout: '30s' })).collector,
    source: breakablePostgres(postgres, () => database),
    secrets: ['postgres', '127.0.0.1'],
    ignoredFindings: [],
  });
});
