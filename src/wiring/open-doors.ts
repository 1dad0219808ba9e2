import { isIPv6 } from 'node:net';
import type { Log } from '../base/index.ts';
import type { Config } from '../config/index.ts';
import { isLoopbackAddress } from '../identity/index.ts';

/** Logs what an operator should know about who gets in. */
export function warnOfOpenDoors({ listen: { host, port }, gateway, users }: Config, log: Log): void {
  if (isLoopbackAddress(host)) return;
  const address = `${isIPv6(host) ? `[${host}]` : host}:${port}`;
  if (gateway.anonymous) {
    log.warn(
      { address },
      'anybody who reaches this address may pull through it: set gateway.anonymous to false to ask for credentials',
    );
  }
  if (users.length === 0) {
    log.warn(
      { address },
      'no users are configured, so that nobody can read usage here: add one under users, with a hash from tonnage user hash',
    );
  }
}
