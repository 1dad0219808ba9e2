import type { Ledger, LedgerStatus } from '../ledger/index.ts';
import type { Check, Readiness } from './contract.ts';

type DeliveryStatus = NonNullable<LedgerStatus['delivery']> & {
  /** The store misses data that the ledger cannot deliver again. */
  readonly gap?: string;
};

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
    ledger: check('ledger_unavailable', saving ? [] : [`${unsavedEvents} events cannot be saved: ${failure}`]),
    ...(delivery && { store: storeCheck(delivery, claiming) }),
    cache: check(
      'cache_unwritable',
      unwritable === undefined ? [] : [`blobs are passed through, since they cannot be written: ${unwritable}`],
    ),
    server: check('stopping', stopping ? ['stopping'] : []),
  };
  return { ready: saving && takesEvents && !stopping, checks };
}

function check(code: string, faults: readonly string[]): Check {
  return faults.length === 0 ? 'ok' : { code, detail: faults.join('; ') };
}

function storeCheck(delivery: DeliveryStatus, claiming: LedgerStatus['claiming']): Check {
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
  return check(delivery.gap === undefined ? 'store_unavailable' : 'ledger_gap', faults);
}
