import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, startRedis, type RedisServer } from '../../../test/support/redis.ts';
import { openTestRedisStore } from '../../redis-totals/testing/redis-store.ts';
import { openApiFixture, type ApiFixture, type ApiFixtureOptions } from './api-fixture.ts';

/** A store driver under the API. Only one fixture may be open at a time. */
export interface StoreKind {
  open(options?: ApiFixtureOptions): Promise<ApiFixture>;
  /** Resolves once the totals include all committed events. */
  settle(fixture: ApiFixture): Promise<void>;
  close(): Promise<void>;
}

export const storeKinds = {
  'the embedded store': async (): Promise<StoreKind> => ({
    open: (options) => openApiFixture(options),
    settle: () => Promise.resolve(),
    close: () => Promise.resolve(),
  }),
  'a real Redis': async (): Promise<StoreKind> => {
    const directory = mkdtempSync(join(tmpdir(), 'tonnage-wave-'));
    const server = await startRedis(directory);
    return {
      async open(options) {
        await server.cli('flushall');
        const fixture = await openApiFixture({ ...options, openStore: storeIn(server) });
        // Queries fail before the first connection to Redis.
        await eventually(
          'Redis answers',
          async () => (await fixture.app.inject('/v1alpha2/metrics/pulls')).statusCode === 200,
        );
        return fixture;
      },
      settle: ({ ledger }) => eventually('all is delivered', () => ledger.status().delivery?.waiting === 0),
      async close() {
        await server.stop();
        rmSync(directory, { recursive: true, force: true });
      },
    };
  },
} as const;

function storeIn(server: RedisServer): NonNullable<ApiFixtureOptions['openStore']> {
  return ({ file, ...options }) => openTestRedisStore(server.url, file, options);
}
