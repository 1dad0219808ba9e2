import { systemClock, type Log } from '../../../base/index.ts';
import type { RedisLink } from '../../../redis-link/index.ts';
import { endlessHistory } from './batches.ts';
import { RedisWriter, type RedisWriterOptions } from '../index.ts';

/** A writer for ledger `one` that keeps all details, and the warnings that it logs. */
export function testWriter(
  link: RedisLink,
  options: Partial<RedisWriterOptions> = {},
): { readonly writer: RedisWriter; readonly warnings: readonly string[] } {
  const warnings: string[] = [];
  const ignore = () => undefined;
  const log: Log = { debug: ignore, info: ignore, error: ignore, warn: (_, message) => void warnings.push(message) };
  const history = endlessHistory;
  const defaults = {
    ledgerId: 'one',
    history,
    allowEviction: false,
    shared: false,
    minReplicas: 0,
    detailsFrom: () => 0,
  };
  return { writer: new RedisWriter({ link, clock: systemClock, log, ...defaults, ...options }), warnings };
}
