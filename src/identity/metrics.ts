import type { Counter, MetricSet } from '../metric/index.ts';

/** What came of a check of credentials that were not remembered. */
export type CheckOutcome = 'accepted' | 'refused' | 'limited' | 'failed';

/** What the door counts of itself. */
export interface IdentityInstruments {
  readonly checks: Readonly<Record<CheckOutcome, Counter>>;
}

/** Declares the families of this folder in `metrics`. */
export function identityInstruments(metrics: MetricSet): IdentityInstruments {
  const checks = metrics.counter({
    name: 'tonnage_identity_checks',
    help: 'Checks of credentials that were not remembered, by outcome; limited ones were told to come back later.',
    labels: ['outcome'],
  });
  return {
    checks: {
      accepted: checks.labels({ outcome: 'accepted' }),
      refused: checks.labels({ outcome: 'refused' }),
      limited: checks.labels({ outcome: 'limited' }),
      failed: checks.labels({ outcome: 'failed' }),
    },
  };
}
