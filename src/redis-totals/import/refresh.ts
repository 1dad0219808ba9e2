import { limits, messageOf, pause, type Clock, type Log } from '../../base/index.ts';
import { parseDay, waveFieldName } from '../../usage/index.ts';
import { importKey, waveHash } from '../layout.ts';
import type { RedisLink } from '../../redis-link/index.ts';
import { Reads } from '../read/reads.ts';
import { readScope } from '../read/scope.ts';
import { hasCounted, markForeignDay } from './foreign.ts';
import { IndexCommands, readSlice, serverOf } from './scan.ts';

/** Pause after the first failure in a row. */
const firstRetryMs = 500;

export interface WaveRefreshOptions {
  readonly link: Pick<RedisLink, 'send' | 'pipeline' | 'script'>;
  readonly clock: Clock;
  readonly log: Log;
  /** How many fields of Wave's hash to scan per second. Default: `limits.waveRefreshFieldsPerSecond`. */
  readonly fieldsPerSecond?: number;
}

/** Repeatedly looks for new names in Wave's hash while Wave still writes to it. */
export class WaveRefresh {
  readonly #options: WaveRefreshOptions;
  readonly #ending = new AbortController();
  /** Days that were not foreign, with their sum in Wave's hash at that time. Unless the sum changes, skip the day. */
  readonly #ownDays = new Map<string, string>();
  #running: Promise<void> | undefined;

  constructor(options: WaveRefreshOptions) {
    this.#options = options;
  }

  /**
   * Scans the hash once at the configured rate. Then sets `indexedAt` of answers to the time when the scan began, unless
   * another Redis process took over during the scan. Rejects with the link's errors.
   */
  async refresh(): Promise<void> {
    const { link, clock } = this.#options;
    const began = clock.now();
    const server = await serverOf(link);
    // A new index for each scan: a failover may have lost the names that an earlier scan added.
    const index = new IndexCommands(false);
    const days = new Map<string, Set<string>>();
    let cursor = '0';
    do {
      const slice = await readSlice(link, cursor);
      await link.pipeline(index.of(slice.names));
      for (const [meter, names] of slice.names.meters) {
        const ofMeter = days.get(meter) ?? new Set<string>();
        for (const day of names.days) ofMeter.add(day);
        days.set(meter, ofMeter);
      }
      cursor = slice.cursor;
      await this.#pause(slice.fields);
    } while (cursor !== '0');
    // A cursor is valid in one process only, so the scan was not complete. The names that it found stay.
    if ((await serverOf(link)) !== server) return;
    for (const [meter, dates] of days) await this.#markDays(meter, dates);
    await link.pipeline([{ key: importKey, args: ['HSET', importKey, 'indexedAt', String(began)] }]);
  }

  /** Scans again and again, with pauses, until `close`. A failure is logged and retried. */
  start(): void {
    this.#running ??= this.#repeat();
  }

  /** Ends the scan that is under way. */
  async close(): Promise<void> {
    this.#ending.abort();
    await this.#running;
  }

  /** Checks the days whose sum in Wave's hash has changed since they were found not to be foreign. */
  async #markDays(meter: string, dates: ReadonlySet<string>): Promise<void> {
    const { link } = this.#options;
    const reads = new Reads(link, { check: () => undefined });
    const scope = await readScope(reads, meter);
    const days = [...dates].flatMap((date) => parseDay(date) ?? []).filter((day) => !scope.foreign.has(day));
    const fields = days.map((day) => waveFieldName({ meter, day }) ?? '');
    const counts = await reads.values(waveHash, fields);
    for (const [index, day] of days.entries()) {
      const field = fields[index] ?? '';
      const count = String(counts[index] ?? '0');
      if (this.#ownDays.get(field) === count) continue;
      if (await markForeignDay(link, scope, day)) this.#ownDays.delete(field);
      else this.#ownDays.set(field, count);
      if (hasCounted(scope, day)) await this.#pause(limits.redisScanCount);
    }
  }

  async #repeat(): Promise<void> {
    const { signal } = this.#ending;
    let failures = 0;
    while (!signal.aborted) {
      try {
        await this.refresh();
        failures = 0;
      } catch (error) {
        if (isAborted(signal)) return;
        failures++;
        // The first scan may begin before the link is connected, so a single failure is not logged.
        if (failures > 1) {
          this.#options.log.warn({ error: messageOf(error) }, "could not look up the names in Wave's hash");
        }
      }
      await pause(failures === 1 ? firstRetryMs : limits.waveRefreshPauseMs, signal);
    }
  }

  /** Waits as long as the rate allows for a number of fields. Rejects after `close`. */
  async #pause(fields: number): Promise<void> {
    const { signal } = this.#ending;
    await pause((fields * 1_000) / (this.#options.fieldsPerSecond ?? limits.waveRefreshFieldsPerSecond), signal);
    signal.throwIfAborted();
  }
}

/** A function, because TypeScript assumes that `aborted` does not change in a loop, not even after an `await`. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}
