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
  const { failure, unsavedEvents, delivery, claiming } = ledger.status();
  const saving = failure === undefined;
  const takesEvents = claiming?.isReady !== false;
  const unwritable = cacheFailure();
  const checks = {
    ledger: saving ? 'ok' : `${unsavedEvents} events cannot be saved: ${failure}`,
    ...(delivery && { store: storeCheck(delivery, claiming) }),
    cache: unwritable === undefined ? 'ok' : `blobs are passed through, since they cannot be written: ${unwritable}`,
    server: stopping ? 'stopping' : 'ok',
  };
  return { ready: saving && takesEvents && !stopping, checks };
}

function storeCheck(delivery: NonNullable<LedgerStatus['delivery']>, claiming: LedgerStatus['claiming']): string {
  const { failure, waiting, ageMs } = delivery;
  const faults: string[] = [];
  if (claiming?.isReady === false) {
    faults.push(`no event is taken before Redis has answered once: ${claiming.failure ?? 'it has not been asked yet'}`);
  } else if (claiming?.failure !== undefined) {
    faults.push(`${claiming.events} events wait to be claimed among the instances: ${claiming.failure}`);
  }
  if (failure !== undefined) {
    const seconds = Math.round(ageMs / 1000);
    const batches = waiting === 1 ? '1 batch waits' : `${waiting} batches wait`;
    faults.push(waiting === 0 ? failure : `${batches} in the outbox, the oldest for ${seconds} s: ${failure}`);
  }
  return faults.length === 0 ? 'ok' : faults.join('; ');
}
