import type { Ledger, LedgerStatus } from '../ledger/index.ts';
import type { Check, Readiness } from './contract.ts';

type DeliveryStatus = NonNullable<LedgerStatus['delivery']> & {
  /** Set if the store lost data that the ledger cannot deliver again. */
  readonly gap?: string;
};

export interface ReadinessSources {
  readonly ledger: Pick<Ledger, 'status'>;
  /** Why the image cache cannot be written; `undefined` while it can. */
  readonly cacheFailure: () => string | undefined;
  readonly stopping: boolean;
}

/**
 * Returns the content of `/readyz`. The server is not ready only if it would refuse events, or while it is stopping. An
 * unwritable cache or an unreachable store is reported, but is no reason to route pulls elsewhere.
 */
export function readinessOf({ ledger, cacheFailure, stopping }: ReadinessSources): Readiness {
  const { failure, unsavedEvents, delivery, claiming } = ledger.status();
  const canSave = failure === undefined;
  const unwritable = cacheFailure();
  const checks = {
    ledger: check('ledger_unavailable', canSave ? [] : [`${unsavedEvents} events cannot be saved: ${failure}`]),
    ...(delivery && { store: storeCheck(delivery, claiming) }),
    cache: check('cache_unwritable', unwritable === undefined ? [] : [`blobs pass through uncached: ${unwritable}`]),
    server: check('stopping', stopping ? ['stopping'] : []),
  };
  return { ready: canSave && claiming?.isReady !== false && !stopping, checks };
}

function check(code: string, faults: readonly string[]): Check {
  return faults.length === 0 ? 'ok' : { code, detail: faults.join('; ') };
}

function storeCheck(delivery: DeliveryStatus, claiming: LedgerStatus['claiming']): Check {
  const { failure, waiting, ageMs } = delivery;
  const faults: string[] = [];
  if (claiming?.isReady === false) {
    faults.push(`no events are accepted until Redis has answered: ${claiming.failure ?? 'not tried yet'}`);
  } else if (claiming?.failure !== undefined) {
    faults.push(`${claiming.events} events wait for their claim in Redis: ${claiming.failure}`);
  }
  if (failure !== undefined) {
    const seconds = Math.round(ageMs / 1000);
    const batches = waiting === 1 ? '1 batch waits' : `${waiting} batches wait`;
    faults.push(waiting === 0 ? failure : `${batches} in the outbox, the oldest for ${seconds} s: ${failure}`);
  }
  return check(delivery.gap === undefined ? 'store_unavailable' : 'ledger_gap', faults);
}
