import { beforeAll, describe } from 'vitest';
import { collectorConformance } from '../../conformance.ts';
import { breakableSqlite } from './testing/breakable.ts';
import { suiteSqlite } from './testing/databases.ts';
import { openFirst } from './testing/open-sql.ts';
import { shopQueries, shopSchema } from './testing/shop.ts';

const sqlite = suiteSqlite();
let dsn = '';

beforeAll(async () => {
  dsn = await sqlite.create(shopSchema);
});

describe('SQLite keeps the contract of a collector', () => {
  collectorConformance({
    open: async () => (await openFirst(dsn, shopQueries)).collector,
    source: breakableSqlite(() => dsn.replace('sqlite:', '')),
    // A read starts a process, which takes a while on a busy machine.
    deadlineMs: 4_000,
    secrets: ['tonnage-sql-'],
  });
});
