import { redisServersOf, type RedisStoreConfig, type ServerAddress, type StoreConfig } from '../config/index.ts';

const redisPort = '6379';

/**
 * Whether two configurations are seen to keep totals in the same place. Two names of one Redis may still be told apart
 * here; whoever writes there finds that out.
 */
export function isSameStore(one: StoreConfig, other: StoreConfig): boolean {
  if (one.driver === 'sqlite' || other.driver === 'sqlite') return one.driver === other.driver;
  const places = placesOf(one);
  return placesOf(other).some((place) => places.includes(place));
}

/** Each of the ways that lead to a Redis, as texts that are equal for the same one. */
function placesOf(store: RedisStoreConfig): readonly string[] {
  const servers = redisServersOf(store);
  if (servers.mode === 'cluster') return servers.nodes.map(addressOf);
  if (servers.mode === 'sentinel') return servers.addresses.map((each) => `${servers.name} at ${addressOf(each)}`);
  const { protocol, hostname, port, pathname } = new URL(servers.url.reveal());
  if (protocol === 'unix:') return [pathname];
  const database = Number(pathname.slice(1) || 0);
  return [`${addressOf({ host: hostname.toLowerCase(), port: Number(port || redisPort) })}/${database}`];
}

function addressOf({ host, port }: ServerAddress): string {
  return `${host}:${port}`;
}
