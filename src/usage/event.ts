import type { DimensionValues } from './dimensions.ts';

/**
 * What makes an event from outside the same event when it is sent again. The tenant is the organisation of the credential
 * that sent it (absent: of one that is bound to none), so that nobody can spend another's identity.
 */
export interface EventIdentity {
  readonly tenant?: string;
  readonly source: string;
  readonly id: string;
}

/** Something that happened elsewhere, once, however often it is sent. */
export interface UsageEvent extends EventIdentity {
  readonly kind: 'usage';
  readonly meter: string;
  /** When it happened, in milliseconds since the Unix epoch. Its day in the ledger's zone is the day it counts on. */
  readonly time: number;
  readonly quantity: bigint;
  readonly dimensions: DimensionValues;
}

/** Takes an event back: exactly what that event added, whatever it was. Has an identity of its own. */
export interface VoidEvent extends EventIdentity {
  readonly kind: 'void';
  readonly time: number;
  readonly target: EventIdentity;
}

export type LedgerEvent = UsageEvent | VoidEvent;

/** Why an event is not taken. Part of the interface: never renamed. */
export type RefusalReason = 'too_old' | 'in_future' | 'not_voidable' | 'day_limit';

/**
 * What became of one event. `voided`: it had been taken back before it came, and adds nothing. A void is `accepted`
 * when it took its event back or waits for it, and a `duplicate` when another void was first.
 */
export type EventResult =
  | { readonly status: 'accepted' | 'duplicate' | 'voided' }
  | { readonly status: 'refused'; readonly reason: RefusalReason; readonly message: string };
