import type { DimensionValues } from './dimensions.ts';

/**
 * Identifies an event from outside, so that a resent event counts once. The tenant is the organisation of the sender's
 * credential (absent: the credential has none), so that one tenant cannot use up the identities of another.
 */
export interface EventIdentity {
  readonly tenant?: string;
  readonly source: string;
  readonly id: string;
}

/** An event from outside. Counts once, however often it is sent. */
export interface UsageEvent extends EventIdentity {
  readonly kind: 'usage';
  readonly meter: string;
  /** Milliseconds since the Unix epoch. The event counts on the day of this time in the ledger's time zone. */
  readonly time: number;
  readonly quantity: bigint;
  readonly dimensions: DimensionValues;
}

/** Voids an event: subtracts exactly what it added. Has its own identity. */
interface VoidEvent extends EventIdentity {
  readonly kind: 'void';
  readonly time: number;
  readonly target: EventIdentity;
}

export type LedgerEvent = UsageEvent | VoidEvent;

/** Why an event is refused. Part of the public interface: never renamed. */
type RefusalReason = 'too_old' | 'in_future' | 'not_voidable' | 'day_limit';

/**
 * The result of one event. `voided`: it was voided before it arrived, so it adds nothing. A void is `accepted` if it
 * voids its event now or when the event arrives, and a `duplicate` if the event is already voided.
 */
export type EventResult =
  | { readonly status: 'accepted' | 'duplicate' | 'voided' }
  | { readonly status: 'refused'; readonly reason: RefusalReason; readonly message: string };
