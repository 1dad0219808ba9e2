import { limits } from '../base/index.ts';
import type { EventResult, LedgerEvent } from '../usage/index.ts';

const dayMs = 86_400_000;

/** The times that events may have: an event outside the window could not be recognised as a repeated one. */
export class EventWindow {
  readonly #days: number;
  readonly #ageMs: number;

  constructor(dedupeDays: number) {
    this.#days = dedupeDays;
    this.#ageMs = dedupeDays * dayMs;
  }

  /** The refusal of an event with this time at `now`; `undefined` if the ledger accepts the time. */
  refusal(event: Pick<LedgerEvent, 'time'>, now: number): EventResult | undefined {
    if (event.time < now - this.#ageMs) {
      const message = `expected a time within the last ${this.#days} days, got ${isoTime(event.time)}`;
      return { status: 'refused', reason: 'too_old', message };
    }
    if (event.time > now + limits.eventAheadMsMax) {
      const minutes = limits.eventAheadMsMax / 60_000;
      const message = `expected a time at most ${minutes} minutes ahead of ${isoTime(now)}, got ${isoTime(event.time)}`;
      return { status: 'refused', reason: 'in_future', message };
    }
    return undefined;
  }

  /** The time before which keys were received that are no longer needed at `now`. */
  keysFrom(now: number): number {
    return now - this.#ageMs;
  }
}

function isoTime(time: number): string {
  return Math.abs(time) <= 8.64e15 ? new Date(time).toISOString() : `${time} ms after 1970`;
}
