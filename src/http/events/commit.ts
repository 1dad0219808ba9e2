import { limits } from '../../base/index.ts';
import { Ignored, outcomesOf, Refusal, type EventOutcome } from '../../ingest/index.ts';
import type { Ledger } from '../../ledger/index.ts';
import type { LedgerEvent } from '../../usage/index.ts';

/**
 * Reads and commits what a request holds, part by part, and answers what came of each, in order. When one part fails so
 * does the whole, with the ledger's error; what is sent again is then known.
 */
export async function commitEvents<T>(
  items: readonly T[],
  read: (item: T) => LedgerEvent | Refusal | Ignored,
  ledger: Pick<Ledger, 'ingest'>,
): Promise<readonly EventOutcome[]> {
  const outcomes: EventOutcome[] = [];
  for (let start = 0; start < items.length; start += limits.eventsAtOnceMax) {
    const events = items.slice(start, start + limits.eventsAtOnceMax).map(read);
    const valid = events.flatMap((event) => (event instanceof Refusal || event instanceof Ignored ? [] : [event]));
    // One after the other: that is what leaves others their turn, and keeps a void behind its event.
    const results = valid.length === 0 ? [] : await ledger.ingest(valid);
    outcomes.push(...outcomesOf(events, results));
  }
  return outcomes;
}
