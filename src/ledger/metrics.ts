import { lazily, type Counter, type Histogram, type Labelled, type MetricSet } from '../metric/index.ts';
import type { Counted } from './counted.ts';

/** What the ledger counts of itself. */
export interface LedgerInstruments {
  readonly commitSeconds: Histogram;
  readonly commitEvents: Histogram;
  readonly failedCommits: Counter;
  readonly foldedEvents: Counter;
  readonly foldedValues: Labelled<Counter, 'dimension'>;
}

/** From well under a commit to a solid-state disk up to the wait that a pull bears at most. */
const commitSecondsBounds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2];
const commitEventsBounds = [1, 4, 16, 64, 256, 1024, 4096, 16_384];

/** Declares the ledger's families in `metrics`. `unsavedEvents` is asked at each scrape. */
export function ledgerInstruments(
  metrics: MetricSet,
  unsavedEvents: () => number,
  counted: Counted,
): LedgerInstruments {
  metrics.add({
    type: 'counter',
    name: 'tonnage_usage',
    help: 'What this data directory has counted, ever: by meter, organisation and architecture of the image.',
    points: lazily(() => counted.points()),
  });
  metrics.gauge({
    name: 'tonnage_ledger_unsaved_events',
    help: 'Counted events in memory whose commit has not ended; they stay there until it succeeds.',
    read: unsavedEvents,
  });
  return {
    commitSeconds: metrics.histogram({
      name: 'tonnage_ledger_commit_duration_seconds',
      unit: 'seconds',
      help: 'Time that a commit took, from handing it over until it was safe on disk.',
      buckets: commitSecondsBounds,
    }),
    commitEvents: metrics.histogram({
      name: 'tonnage_ledger_commit_events',
      help: 'Events that shared one commit.',
      buckets: commitEventsBounds,
    }),
    failedCommits: metrics.counter({
      name: 'tonnage_ledger_failed_commits',
      help: 'Tries of a commit that failed. Each is tried again; nothing is lost by it.',
    }),
    foldedEvents: metrics.counter({
      name: 'tonnage_ledger_folded_events',
      help: 'Events whose details were counted under __other__, since too many distinct cells waited for a commit.',
    }),
    foldedValues: metrics.counter({
      name: 'tonnage_ledger_folded_values',
      help: 'Values that were counted under __other__, since their dimension has too many on one day.',
      labels: ['dimension'],
    }),
  };
}
