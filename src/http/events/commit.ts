import { limits } from '../../base/index.ts';
import { Ignored, outcomesOf, Refusal, type EventOutcome } from '../../ingest/index.ts';
import type { Ledger } from '../../ledger/index.ts';
import type { LedgerEvent } from '../../usage/index.ts';

/**
 * Parses and commits a request's events in parts. Resolves with their outcomes, in order. If a part fails, rejects with
 * the ledger's error. The client then sends all events again, and those already committed are duplicates.
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
    // Sequentially, so that other requests get their turn and a void stays behind its event.
    const results = valid.length === 0 ? [] : await ledger.ingest(valid);
    outcomes.push(...outcomesOf(events, results));
  }
  return outcomes;
}
