import type { Ledger, LedgerStatus } from '../ledger/index.ts';
import type { Readiness } from './contract.ts';

export interface ReadinessSources {
  readonly ledger: Pick<Ledger, 'status'>;
  /** Why blobs cannot be written to the image cache; `undefined` while they can. */
  readonly cacheFailure: () => string | undefined;
  readonly stopping: boolean;
}

/**
 * What `/readyz` says. Not ready only when events would be refused, or while stopping: a cache that cannot be written and
 * a store that is away are told, but are no reason to send pulls elsewhere.
 */
export function readinessOf({ ledger, cacheFailure, stopping }: ReadinessSources): Readiness {
  const { failure, unsavedEvents, delivery } = ledger.status();
  const saving = failure === undefined;
  const unwritable = cacheFailure();
  const checks = {
    ledger: saving ? 'ok' : `${unsavedEvents} events cannot be saved: ${failure}`,
    ...(delivery && { store: deliveryCheck(delivery) }),
    cache: unwritable === undefined ? 'ok' : `blobs are passed through, since they cannot be written: ${unwritable}`,
    server: stopping ? 'stopping' : 'ok',
  };
  return { ready: saving && !stopping, checks };
}

function deliveryCheck({ failure, waiting, ageMs }: NonNullable<LedgerStatus['delivery']>): string {
  if (failure === undefined) return 'ok';
  return `${waiting} batches wait in the outbox, the oldest for ${Math.round(ageMs / 1000)} s: ${failure}`;
}
