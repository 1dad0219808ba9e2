import { beforeAll, describe } from 'vitest';
import { suiteMariadb } from '../../../../test/support/mariadb-suite.ts';
import { collectorConformance } from '../../conformance.ts';
import { breakableMariadb } from './testing/breakable.ts';
import { openFirst } from './testing/open-sql.ts';
import { shopQueries, shopSchema } from './testing/shop.ts';

const mariadb = suiteMariadb();
let database = '';

beforeAll(async () => {
  database = await mariadb.server.createDatabase(shopSchema);
});

describe('MariaDB keeps the contract of a collector', () => {
  collectorConformance({
    open: async () => (await openFirst(mariadb.server.dsn(database), shopQueries)).collector,
    source: breakableMariadb(mariadb, () => database),
    secrets: ['correct-horse', '127.0.0.1', 'test_1'],
  });
});
