import type { Clock } from '../base/index.ts';
import type { Counter, Histogram } from '../metric/index.ts';
import type { CacheOutcome, ContentKind } from './outcome.ts';
import { PullCounts } from './pull-counts.ts';
import { statusLabel } from './status-label.ts';
import type { UpstreamMeter } from './upstream/metering.ts';
import type { UpstreamFamilies } from './upstream-families.ts';

/** The series of one upstream, kind of content and outcome. Times are on the monotonic clock, in milliseconds. */
export class AnswerMeters {
  readonly served: Counter;
  readonly #clock: Clock;
  readonly #duration: Histogram;
  readonly #firstByte: Histogram;

  constructor(clock: Clock, series: { duration: Histogram; firstByte: Histogram; served: Counter }) {
    this.#clock = clock;
    this.#duration = series.duration;
    this.#firstByte = series.firstByte;
    this.served = series.served;
  }

  /** The first byte of a response is written. */
  begun(startedMs: number): void {
    this.#firstByte.observe((this.#clock.monotonic() - startedMs) / 1_000);
  }

  /** The last byte of a response has been written. */
  ended(startedMs: number): void {
    this.#duration.observe((this.#clock.monotonic() - startedMs) / 1_000);
  }

  /** A response with a body of `bytes` was written in one piece. */
  whole(startedMs: number, bytes: number): void {
    const seconds = (this.#clock.monotonic() - startedMs) / 1_000;
    this.#firstByte.observe(seconds);
    this.#duration.observe(seconds);
    this.served.inc(bytes);
  }
}

type Bound = { [Route in ContentKind]: { [Outcome in CacheOutcome]?: AnswerMeters } };

/**
 * The metrics of one upstream. Series are bound once, so that counting needs no lookup by labels. Series by outcome and
 * status are created on first use; the others start at 0.
 */
export class UpstreamMeters implements UpstreamMeter {
  readonly pulls = new PullCounts();
  readonly blobPulls: Counter;
  readonly coalesced: Readonly<Record<'manifest' | 'blob', Counter>>;
  readonly countedAborted: Counter;
  readonly factsUnknown: Counter;
  readonly blobRejected: Counter;
  readonly #upstream: string;
  readonly #families: UpstreamFamilies;
  readonly #clock: Clock;
  readonly #answers: Bound = { manifest: {}, blob: {}, tags: {} };
  readonly #responses = new Map<number, Counter>();
  readonly #responseSeconds: Histogram;
  readonly #unanswered: Counter;
  readonly #fetched: Counter;

  constructor(upstream: string, families: UpstreamFamilies, clock: Clock) {
    this.#upstream = upstream;
    this.#families = families;
    this.#clock = clock;
    this.blobPulls = families.blobPulls.labels({ upstream });
    this.coalesced = {
      manifest: families.coalescedWaits.labels({ upstream, route: 'manifest' }),
      blob: families.coalescedWaits.labels({ upstream, route: 'blob' }),
    };
    this.countedAborted = families.countedAborted.labels({ upstream });
    this.factsUnknown = families.factsUnknown.labels({ upstream });
    this.blobRejected = families.blobRejected.labels({ upstream });
    this.#responseSeconds = families.upstreamResponseSeconds.labels({ upstream });
    this.#unanswered = families.upstreamUnanswered.labels({ upstream });
    this.#fetched = families.fetchedBytes.labels({ upstream });
  }

  /** Returns the series of a kind of content and an outcome. */
  answers(route: ContentKind, outcome: CacheOutcome): AnswerMeters {
    return (this.#answers[route][outcome] ??= this.#bind(route, outcome));
  }

  received(bytes: number): void {
    this.#fetched.inc(bytes);
  }

  responded(status: number, seconds: number): void {
    this.#responseSeconds.observe(seconds);
    let counter = this.#responses.get(status);
    if (counter === undefined) {
      counter = this.#families.upstreamResponses.labels({ upstream: this.#upstream, status: statusLabel(status) });
      this.#responses.set(status, counter);
    }
    counter.inc();
  }

  unanswered(): void {
    this.#unanswered.inc();
  }

  remaining(requests: number): void {
    this.#families.rateLimitRemaining.labels({ upstream: this.#upstream }).set(requests);
  }

  #bind(route: ContentKind, outcome: CacheOutcome): AnswerMeters {
    const labels = { upstream: this.#upstream, route, cache: outcome };
    return new AnswerMeters(this.#clock, {
      duration: this.#families.durationSeconds.labels(labels),
      firstByte: this.#families.firstByteSeconds.labels(labels),
      served: this.#families.servedBytes.labels(labels),
    });
  }
}
