import { limits, messageOf, pause, type Clock, type Log } from '../../base/index.ts';
import { parseDay, waveFieldName } from '../../usage/index.ts';
import { importKey, waveHash } from '../layout.ts';
import type { RedisLink } from '../../redis-link/index.ts';
import { Reads } from '../read/reads.ts';
import { readScope } from '../read/scope.ts';
import { hasCounted, markForeignDay } from './foreign.ts';
import { IndexCommands, readSlice, serverOf } from './scan.ts';

/** Pause after a round that failed, when the one before it had not. */
const firstRetryMs = 500;

export interface WaveRefreshOptions {
  readonly link: Pick<RedisLink, 'send' | 'pipeline' | 'script'>;
  readonly clock: Clock;
  readonly log: Log;
  /** Fields of Wave's hash that are looked at in a second. Limit `waveRefreshFieldsPerSecond`. */
  readonly fieldsPerSecond?: number;
}

/** Looks for new names in Wave's hash, again and again, while Wave still writes it. */
export interface WaveRefresh {
  /**
   * One full round, at the pace that was asked for: afterwards answers say that the names are those of when it began.
   * Rejects with the link's errors.
   */
  refresh(): Promise<void>;
  /** Rounds without end, with a pause in between; one that fails is logged and begun anew. */
  start(): void;
  /** Ends what is under way. */
  close(): Promise<void>;
}

export function createWaveRefresh(options: WaveRefreshOptions): WaveRefresh {
  return new Rounds(options);
}

class Rounds implements WaveRefresh {
  readonly #options: WaveRefreshOptions;
  readonly #ending = new AbortController();
  /** Days that were found to be ours alone, and Wave's own count of them then: while that stays, so does the finding. */
  readonly #ours = new Map<string, string>();
  #running: Promise<void> | undefined;

  constructor(options: WaveRefreshOptions) {
    this.#options = options;
  }

  async refresh(): Promise<void> {
    const { link, clock } = this.#options;
    const began = clock.now();
    const server = await serverOf(link);
    // Of this round alone: what an earlier one has written may be lost since, by a failover.
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
    // A cursor of one process passes over fields of another: what was found is kept, but it was no full round.
    if ((await serverOf(link)) !== server) return;
    for (const [meter, dates] of days) await this.#markDays(meter, dates);
    await link.pipeline([{ key: importKey, args: ['HSET', importKey, 'indexedAt', String(began)] }]);
  }

  start(): void {
    this.#running ??= this.#rounds();
  }

  async close(): Promise<void> {
    this.#ending.abort();
    await this.#running;
  }

  /** Looks at those days whose count by Wave has changed since they were found to be ours alone. */
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
      if (this.#ours.get(field) === count) continue;
      if (await markForeignDay(link, scope, day)) this.#ours.delete(field);
      else this.#ours.set(field, count);
      if (hasCounted(scope, day)) await this.#pause(limits.redisScanCount);
    }
  }

  async #rounds(): Promise<void> {
    const { signal } = this.#ending;
    let failures = 0;
    while (!signal.aborted) {
      try {
        await this.refresh();
        failures = 0;
      } catch (error) {
        if (isEnded(signal)) return;
        failures++;
        // The first round of all may come before the connection is up.
        if (failures > 1) {
          this.#options.log.warn({ error: messageOf(error) }, 'the names in the hash of Wave could not be looked up');
        }
      }
      await pause(failures === 1 ? firstRetryMs : limits.waveRefreshPauseMs, signal);
    }
  }

  /** Waits for as long as so many fields may take. Rejects when the refresh is closed. */
  async #pause(fields: number): Promise<void> {
    const { signal } = this.#ending;
    await pause((fields * 1_000) / (this.#options.fieldsPerSecond ?? limits.waveRefreshFieldsPerSecond), signal);
    signal.throwIfAborted();
  }
}

function isEnded(signal: AbortSignal): boolean {
  return signal.aborted;
}
