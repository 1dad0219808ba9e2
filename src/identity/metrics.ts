import type { Counter, MetricSet } from '../metric/index.ts';

/** The outcome of a check of credentials that were not cached. */
export type CheckOutcome = 'accepted' | 'refused' | 'limited' | 'unknown' | 'failed';

/** The instruments of authentication. */
export interface IdentityInstruments {
  readonly checks: Readonly<Record<CheckOutcome, Counter>>;
}

/** Declares the families of this folder in `metrics`. */
export function identityInstruments(metrics: MetricSet): IdentityInstruments {
  const checks = metrics.counter({
    name: 'tonnage_identity_checks',
    help: 'Checks of credentials that were not cached, by outcome. Limited clients must retry later.',
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

/** The instruments of requests to a Seqera Platform. */
export interface PlatformInstruments {
  /** By outcome. */
  readonly answers: Readonly<Record<'accepted' | 'refused' | 'failed', Counter>>;
  /** Checks without an answer, by consequence. */
  readonly down: Readonly<Record<'stale' | 'anonymous' | 'refused', Counter>>;
}

/** Declares the families of Platform tokens in `metrics`. */
export function platformInstruments(metrics: MetricSet): PlatformInstruments {
  const answers = metrics.counter({
    name: 'tonnage_identity_platform_answers',
    help: 'Requests to the Seqera Platform to identify a token, by outcome. Failed ones have no usable response.',
    labels: ['outcome'],
  });
  const down = metrics.counter({
    name: 'tonnage_identity_platform_down',
    help: 'Checks of a token while the Seqera Platform was unavailable, by consequence: stale answer, anonymous or refused.',
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

/** Fetches of issuers' keys, by outcome. */
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
