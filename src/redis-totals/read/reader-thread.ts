import { limits, systemClock } from '../../base/index.ts';
import { serve } from '../../thread/index.ts';
import { connected, openRedisLink } from '../../redis-link/index.ts';
import type { ReaderData, ReaderFunctions } from './reader.ts';
import { createRedisTotals } from './totals.ts';

await serve<ReaderFunctions>(async (data, log) => {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- only reader.ts starts this file, with these options
  const { redis, besideWave } = data as ReaderData;
  const link = await openRedisLink({ ...redis, clock: systemClock, log });
  // The link connects in the background. Early queries wait for its first connection instead of failing.
  const first = connected(link, systemClock, limits.redisFirstConnectMsMax).catch(() => undefined);
  return {
    functions: {
      async query({ query, today, detailsFrom }) {
        await first;
        const totals = createRedisTotals({ link, clock: systemClock, besideWave, detailsFrom: () => detailsFrom });
        return totals.query(query, today);
      },
    },
    close: () => link.close(),
  };
});
