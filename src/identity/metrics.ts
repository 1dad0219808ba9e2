import type { Counter, MetricSet } from '../metric/index.ts';

/** What came of a check of credentials that were not remembered. */
export type CheckOutcome = 'accepted' | 'refused' | 'limited' | 'unknown' | 'failed';

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
      unknown: checks.labels({ outcome: 'unknown' }),
      failed: checks.labels({ outcome: 'failed' }),
    },
  };
}

/** What is counted of questions to a Seqera Platform. */
export interface PlatformInstruments {
  /** By what it said. */
  readonly answers: Readonly<Record<'accepted' | 'refused' | 'failed', Counter>>;
  /** Of the times when it did not say, by what was done. */
  readonly down: Readonly<Record<'stale' | 'anonymous' | 'refused', Counter>>;
}

/** Declares the families of Platform tokens in `metrics`. */
export function platformInstruments(metrics: MetricSet): PlatformInstruments {
  const answers = metrics.counter({
    name: 'tonnage_identity_platform_answers',
    help: 'Questions to the Seqera Platform about whose a token is, by outcome; failed ones have no answer that can be used.',
    labels: ['outcome'],
  });
  const down = metrics.counter({
    name: 'tonnage_identity_platform_down',
    help: 'Checks of a token that the Seqera Platform gave no answer to, by what was done: an older answer, anonymous, or a refusal.',
    labels: ['taken'],
  });
  return {
    answers: {
      accepted: answers.labels({ outcome: 'accepted' }),
      refused: answers.labels({ outcome: 'refused' }),
      failed: answers.labels({ outcome: 'failed' }),
    },
    down: {
      stale: down.labels({ taken: 'stale' }),
      anonymous: down.labels({ taken: 'anonymous' }),
      refused: down.labels({ taken: 'refused' }),
    },
  };
}

/** What is counted of fetches of issuers' keys, by what came of them. */
export type OidcInstruments = Readonly<Record<'fetched' | 'failed', Counter>>;

/** Declares the family of fetches of issuers' keys in `metrics`. */
export function oidcInstruments(metrics: MetricSet): OidcInstruments {
  const fetches = metrics.counter({
    name: 'tonnage_identity_oidc_key_fetches',
    help: 'Fetches of the keys of token issuers, by outcome.',
    labels: ['outcome'],
  });
  return { fetched: fetches.labels({ outcome: 'fetched' }), failed: fetches.labels({ outcome: 'failed' }) };
}
