import { messageOf, type Log } from '../base/index.ts';
import type { AccountTotal, Batch, Committed, Journal } from '../store/index.ts';
import type { Increment } from '../usage/index.ts';
import { Counted, type CountedOptions } from './counted.ts';

/** What this data directory has counted, and what voids took back of it: kept along with the commits. */
export class UsageCounters {
  readonly counted: Counted;
  readonly voided: Counted;
  readonly #journal: Pick<Journal, 'accounts'>;
  readonly #log: Log;

  constructor(journal: Pick<Journal, 'accounts'>, options: CountedOptions, log: Log) {
    this.#journal = journal;
    this.#log = log;
    this.counted = new Counted(options);
    this.voided = new Counted(options);
  }

  /** Reads the sums so far; once, before the first commit. */
  async open(): Promise<void> {
    const soFar = await this.#journal.accounts();
    this.counted.add(soFar.map(asCounted));
    this.voided.add(soFar.map(asVoided));
  }

  /** Adds what a batch has counted; the next commit must wait for what this answers. */
  add(batch: Batch, committed: Committed): Promise<void> | undefined {
    if (committed.known) return this.#readAgain();
    if (!batch.backfill) this.counted.add(batch.increments);
    this.counted.add(committed.added);
    this.voided.add(committed.takenBack.map(negated));
    this.counted.add(committed.rejectedOf.map(asCounted).map(negated));
    this.voided.add(committed.rejectedOf.map(asVoided).map(negated));
    return undefined;
  }

  /** An earlier try was stored although it seemed to fail, perhaps with events that the later one did not have any more. */
  async #readAgain(): Promise<void> {
    try {
      const accounts = await this.#journal.accounts();
      this.counted.raise(accounts.map(asCounted));
      this.voided.raise(accounts.map(asVoided));
    } catch (error) {
      this.#log.warn({ error: messageOf(error) }, 'tonnage_usage_total may lag behind until the next start');
    }
  }
}

function negated<T extends { readonly quantity: bigint }>(increment: T): T {
  return { ...increment, quantity: -increment.quantity };
}

function asCounted({ account, counted }: AccountTotal): Omit<Increment, 'day'> {
  return { ...account, quantity: counted };
}

function asVoided({ account, voided }: AccountTotal): Omit<Increment, 'day'> {
  return { ...account, quantity: voided };
}
