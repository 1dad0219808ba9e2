import type { Clock, Log } from '../base/index.ts';
import type { MetricFamily } from '../metric/index.ts';
import type { Snapshot } from './snapshot.ts';
import type { SourceError, SourceErrorClass } from './source-error.ts';

/** The status of a source. Unknown values are absent. */
export interface SourceStatus {
  readonly name: string;
  /** Whether the last completed read succeeded. */
  readonly up?: boolean;
  /** When the last successful read ended, in Unix seconds. */
  readonly lastSuccess?: number;
  /** When the source created the data of the last successful read, in Unix seconds. */
  readonly dataTimestamp?: number;
  /** Duration of the last completed read in seconds. */
  readonly durationSeconds?: number;
  /** Failed reads since the start, by class. */
  readonly errors: Readonly<Record<SourceErrorClass, number>>;
  /** Why the last read failed; absent while the source is up. */
  readonly failure?: { readonly class: SourceErrorClass; readonly message: string };
}

export interface SourceStateOptions {
  readonly name: string;
  /** The maximum age of a served snapshot in milliseconds. Default: no limit. */
  readonly keepMs?: number;
  readonly clock: Clock;
  readonly log: Log;
}

/** The last good snapshot of one source, and the results of its reads. */
export class SourceState {
  readonly name: string;
  readonly #keepMs: number;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #errors = noErrors();
  #snapshot: Snapshot | undefined;
  /** Monotonic time of the snapshot, so that its age does not depend on clock changes. */
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

  /** Records a successful read. `begun`: monotonic start time in milliseconds. */
  succeed(snapshot: Snapshot, begun: number): void {
    if (this.#up === false) this.#log.info({ source: this.name }, 'a source is readable again');
    this.#takenAt = this.#clock.monotonic();
    this.#snapshot = snapshot;
    this.#dataTimestamp = snapshot.dataTimestamp;
    this.#lastSuccess = this.#clock.now() / 1000;
    this.#durationSeconds = (this.#takenAt - begun) / 1000;
    this.#up = true;
    this.#failure = undefined;
  }

  /** Records a failed read and keeps the snapshot. `begun`: monotonic start time in milliseconds. */
  fail(error: SourceError, begun: number): void {
    this.#durationSeconds = (this.#clock.monotonic() - begun) / 1000;
    this.#recordFailure(error);
  }

  /** Drops a snapshot that can no longer be served. */
  drop(error: SourceError): void {
    this.#snapshot = undefined;
    this.#recordFailure(error);
  }

  /** The families of the last good snapshot; empty if there is none or it is too old. */
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

  /** Counts a failure. Logs a repeated one at debug level. */
  #recordFailure(error: SourceError): void {
    this.#errors[error.errorClass]++;
    this.#up = false;
    const repeated = this.#failure?.errorClass === error.errorClass && this.#failure.message === error.message;
    this.#failure = error;
    const line = { source: this.name, class: error.errorClass, error: error.message };
    if (repeated) this.#log.debug(line, 'reading a source failed again');
    else this.#log.warn(line, 'reading a source failed');
  }
}

function noErrors(): Record<SourceErrorClass, number> {
  return { timeout: 0, unreachable: 0, denied: 0, invalid: 0, failed: 0 };
}
