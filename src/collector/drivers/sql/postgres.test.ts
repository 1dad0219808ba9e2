import { beforeAll, describe } from 'vitest';
import { suitePostgres } from '../../../../test/support/postgres-suite.ts';
import { collectorConformance } from '../../conformance.ts';
import { breakablePostgres } from './testing/breakable.ts';
import { openFirst } from './testing/open-sql.ts';
import { shopQueries, shopSchema } from './testing/shop.ts';

const postgres = suitePostgres();
let database = '';

beforeAll(async () => {
  database = await postgres.server.createDatabase(shopSchema);
});

describe('PostgreSQL keeps the contract of a collector', () => {
  collectorConformance({
    open: async () => (await openFirst(postgres.server.dsn(database, 'postgres:correct-horse'), shopQueries)).collector,
    source: breakablePostgres(postgres, () => database),
    secrets: ['correct-horse', '127.0.0.1', 'test_1'],
  });
});
