import { unreachable } from '../base/index.ts';
import { ClusterRouter } from './cluster.ts';
import { RoutedLink } from './link.ts';
import { settingsOf } from './options.ts';
import type { Router } from './router.ts';
import { sentinelRouter, standaloneRouter } from './single.ts';
import type { RedisLink, RedisLinkOptions } from './types.ts';

export { connected } from './connected.ts';
export { oneSlotOf, slotOf } from './slot.ts';
export type * from './types.ts';

/**
 * Opens a link to Redis. The link connects in the background, so an unreachable server or a wrong password does not
 * reject: `status` shows it.
 *
 * @throws {TonnageError} `config_invalid` for invalid options
 */
export async function openRedisLink(options: RedisLinkOptions): Promise<RedisLink> {
  const { target, connection, retryMs } = settingsOf(options);
  const { clock, log } = options;
  return new RoutedLink(routerFor(), { retryMs, clock });

  function routerFor(): Router {
    switch (target.mode) {
      case 'standalone':
        return standaloneRouter(target.endpoint, connection, log);
      case 'sentinel':
        return sentinelRouter(target.redis, { connection, sentinel: target.sentinel }, log);
      case 'cluster':
        return new ClusterRouter(target.redis, connection, log);
      default:
        return unreachable(target);
    }
  }
}
