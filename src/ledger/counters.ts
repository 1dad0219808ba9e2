import { messageOf, type Log } from '../base/index.ts';
import type { AccountTotal, Batch, Committed, Journal } from '../store/index.ts';
import type { Increment } from '../usage/index.ts';
import { AccountSums, type AccountSumsOptions } from './account-sums.ts';

/** Reads what this data directory has counted, and what voids took back of it. Needed before the first commit. */
export async function openCounters(
  journal: Pick<Journal, 'accounts'>,
  options: AccountSumsOptions,
  log: Log,
): Promise<UsageCounters> {
  const [counted, voided] = [new AccountSums(options), new AccountSums(options)];
  const soFar = await journal.accounts();
  counted.add(soFar.map(asCounted));
  voided.add(soFar.map(asVoided));
  return new UsageCounters(counted, voided, journal, log);
}

/** What this data directory has counted, and what voids took back of it: kept up to date with each commit. */
export class UsageCounters {
  readonly counted: AccountSums;
  readonly voided: AccountSums;
  readonly #journal: Pick<Journal, 'accounts'>;
  readonly #log: Log;

  constructor(counted: AccountSums, voided: AccountSums, journal: Pick<Journal, 'accounts'>, log: Log) {
    this.counted = counted;
    this.voided = voided;
    this.#journal = journal;
    this.#log = log;
  }

  /** Adds the counts of a committed batch. The next commit must wait for the promise. */
  add(batch: Batch, committed: Committed): Promise<void> | undefined {
    if (committed.known) return this.#readAgain();
    if (!batch.backfill) this.counted.add(batch.increments);
    this.counted.add(committed.added);
    this.voided.add(committed.takenBack.map(negated));
    this.counted.add(committed.rejectedOf.map(asCounted).map(negated));
    this.voided.add(committed.rejectedOf.map(asVoided).map(negated));
    return undefined;
  }

  /** An attempt that seemed to fail was stored after all, possibly with keyed events that the retry no longer had. */
  async #readAgain(): Promise<void> {
    try {
      const accounts = await this.#journal.accounts();
      this.counted.raise(accounts.map(asCounted));
      this.voided.raise(accounts.map(asVoided));
    } catch (error) {
      this.#log.warn({ error: messageOf(error) }, 'tonnage_usage_total may be too low until the next start');
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
