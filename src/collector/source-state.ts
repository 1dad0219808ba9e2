import type { Clock, Log } from '../base/index.ts';
import type { MetricFamily } from '../metric/index.ts';
import type { Snapshot } from './snapshot.ts';
import type { SourceError, SourceErrorClass } from './source-error.ts';

/** How a source is doing. What is not known yet is left out. */
export interface SourceStatus {
  readonly name: string;
  /** Whether the last read that ended was good. */
  readonly up?: boolean;
  /** When the last good read ended, in Unix seconds. */
  readonly lastSuccess?: number;
  /** When the source made the data of the last good read, in Unix seconds. */
  readonly dataTimestamp?: number;
  /** How long the last read took that ended, in seconds. */
  readonly durationSeconds?: number;
  /** Failed reads since the start, by class. */
  readonly errors: Readonly<Record<SourceErrorClass, number>>;
  /** Why the last read failed; absent while the source is up. */
  readonly failure?: { readonly class: SourceErrorClass; readonly message: string };
}

export interface SourceStateOptions {
  readonly name: string;
  /** How old a snapshot may get before it is no longer served. Default: no limit. */
  readonly keepMs?: number;
  readonly clock: Clock;
  readonly log: Log;
}

/** What is known of one source: its last good snapshot, and how its reads went. */
export class SourceState {
  readonly name: string;
  readonly #keepMs: number;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #errors = noErrors();
  #snapshot: Snapshot | undefined;
  /** Monotonic time of the snapshot: how old it is must not depend on somebody setting the clock. */
  #takenAt = 0;
  #lastSuccess: number | undefined;
  #dataTimestamp: number | undefined;
  #durationSeconds: number | undefined;
  #up: boolean | undefined;
  #failure: SourceError | undefined;

  constructor({ name, keepMs = Infinity, clock, log }: SourceStateOptions) {
    this.name = name;
    this.#keepMs = keepMs;
    this.#clock = clock;
    this.#log = log;
  }

  /** Notes a read, begun at this monotonic time, that was good. */
  succeed(snapshot: Snapshot, begun: number): void {
    if (this.#up === false) this.#log.info({ source: this.name }, 'a source can be read again');
    this.#takenAt = this.#clock.monotonic();
    this.#snapshot = snapshot;
    this.#dataTimestamp = snapshot.dataTimestamp;
    this.#lastSuccess = this.#clock.now() / 1000;
    this.#durationSeconds = (this.#takenAt - begun) / 1000;
    this.#up = true;
    this.#failure = undefined;
  }

  /** Notes a read, begun at this monotonic time, that failed. The last good snapshot stays. */
  fail(error: SourceError, begun: number): void {
    this.#durationSeconds = (this.#clock.monotonic() - begun) / 1000;
    this.#noteFailure(error);
  }

  /** Gives up a snapshot that was good when it was read, and can no longer be served. */
  drop(error: SourceError): void {
    this.#snapshot = undefined;
    this.#noteFailure(error);
  }

  /** The families of the last good snapshot; none when there is none, or when it has become too old. */
  families(): readonly MetricFamily[] {
    if (this.#snapshot === undefined || this.#clock.monotonic() - this.#takenAt > this.#keepMs) return [];
    return this.#snapshot.families;
  }

  status(): SourceStatus {
    const failure = this.#failure;
    return {
      name: this.name,
      ...(this.#up !== undefined && { up: this.#up }),
      ...(this.#lastSuccess !== undefined && { lastSuccess: this.#lastSuccess }),
      ...(this.#dataTimestamp !== undefined && { dataTimestamp: this.#dataTimestamp }),
      ...(this.#durationSeconds !== undefined && { durationSeconds: this.#durationSeconds }),
      errors: { ...this.#errors },
      ...(failure !== undefined && { failure: { class: failure.errorClass, message: failure.message } }),
    };
  }

  /** A failure that repeats itself is logged once, and counted every time. */
  #noteFailure(error: SourceError): void {
    this.#errors[error.errorClass]++;
    this.#up = false;
    const repeated = this.#failure?.errorClass === error.errorClass && this.#failure.message === error.message;
    this.#failure = error;
    const line = { source: this.name, class: error.errorClass, error: error.message };
    if (repeated) this.#log.debug(line, 'a source still cannot be read');
    else this.#log.warn(line, 'a source could not be read');
  }
}

function noErrors(): Record<SourceErrorClass, number> {
  return { timeout: 0, unreachable: 0, denied: 0, invalid: 0, failed: 0 };
}
