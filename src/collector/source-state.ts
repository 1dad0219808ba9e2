import type { Clock, Log } from '../base/index.ts';
import type { Snapshot } from './snapshot.ts';
import type { SourceError, SourceErrorClass } from './source-error.ts';

/** Why a read failed. The message contains no secret. */
export interface SourceFailure {
  readonly class: SourceErrorClass;
  readonly message: string;
}

/** The status of a source. Unknown values are absent. */
export interface SourceStatus {
  readonly name: string;
  readonly driver?: string;
  /** The page that serves the families, unless it is `/metrics`. */
  readonly page?: string;
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
  /** Age of the last good snapshot in seconds, whether it is still served or not. */
  readonly ageSeconds?: number;
  /** Number of series that the source exposes now. */
  readonly series: number;
  /** The last failed read and when it ended, in Unix seconds. It stays after a successful read. */
  readonly lastError?: SourceFailure & { readonly time: number };
}

export interface SourceStateOptions {
  readonly name: string;
  readonly driver?: string | undefined;
  readonly page?: string | undefined;
  /** The maximum age of a served snapshot in milliseconds. Default: no limit. */
  readonly keepMs?: number | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

/** The last good snapshot of one source, and the results of its reads. */
export class SourceState {
  readonly #options: SourceStateOptions;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #errors = noErrors();
  #snapshot: Snapshot | undefined;
  /** Number of successful reads: the revision of the snapshot. */
  #reads = 0;
  /** Monotonic time of the snapshot, so that its age does not depend on clock changes. */
  #takenAt = 0;
  /** When the snapshot was taken, in Unix milliseconds. */
  #takenMs = 0;
  #dataTimestamp: number | undefined;
  #durationSeconds: number | undefined;
  #up: boolean | undefined;
  /** Why the last read failed; `undefined` while the source is up. */
  #failure: SourceError | undefined;
  #lastError: SourceStatus['lastError'];

  constructor(options: SourceStateOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#log = options.log;
  }

  get name(): string {
    return this.#options.name;
  }

  /** Records a successful read. `begun`: monotonic start time in milliseconds. */
  succeed(snapshot: Snapshot, begun: number): void {
    if (this.#up === false) this.#log.info({ source: this.name }, 'a source is readable again');
    this.#takenAt = this.#clock.monotonic();
    this.#snapshot = snapshot;
    this.#reads++;
    this.#dataTimestamp = snapshot.dataTimestamp;
    this.#takenMs = this.#clock.now();
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

  /** The last good snapshot; `undefined` if there is none or it is too old. */
  get snapshot(): Snapshot | undefined {
    const { keepMs = Infinity } = this.#options;
    return this.#clock.monotonic() - this.#takenAt > keepMs ? undefined : this.#snapshot;
  }

  /** Changes whenever `snapshot` changes. 0: there is none. */
  get revision(): number {
    return this.snapshot === undefined ? 0 : this.#reads;
  }

  /** When the last good snapshot was taken, in Unix milliseconds. */
  get takenMs(): number {
    return this.#takenMs;
  }

  /** Age of the last good snapshot in milliseconds. */
  get ageMs(): number {
    return this.#clock.monotonic() - this.#takenAt;
  }

  /** Why the last read failed; `undefined` while the source is up. */
  get failure(): SourceFailure | undefined {
    return this.#failure && { class: this.#failure.errorClass, message: this.#failure.message };
  }

  status(): SourceStatus {
    const { name, driver, page } = this.#options;
    return {
      name,
      ...(driver !== undefined && { driver }),
      ...(page !== undefined && { page }),
      ...(this.#up !== undefined && { up: this.#up }),
      ...(this.#reads > 0 && { lastSuccess: this.#takenMs / 1000, ageSeconds: this.ageMs / 1000 }),
      ...(this.#dataTimestamp !== undefined && { dataTimestamp: this.#dataTimestamp }),
      ...(this.#durationSeconds !== undefined && { durationSeconds: this.#durationSeconds }),
      series: this.snapshot?.series ?? 0,
      errors: { ...this.#errors },
      ...(this.#lastError !== undefined && { lastError: this.#lastError }),
    };
  }

  /** Counts a failure. Logs a repeated one, of the same class and kind, at debug level. */
  #recordFailure(error: SourceError): void {
    this.#errors[error.errorClass]++;
    this.#up = false;
    const repeated = this.#failure?.errorClass === error.errorClass && this.#failure.kind === error.kind;
    this.#failure = error;
    this.#lastError = { class: error.errorClass, message: error.message, time: this.#clock.now() / 1000 };
    const line = { source: this.name, class: error.errorClass, error: error.message };
    if (repeated) this.#log.debug(line, 'reading a source failed again');
    else this.#log.warn(line, 'reading a source failed');
  }
}

function noErrors(): Record<SourceErrorClass, number> {
  return { timeout: 0, unreachable: 0, denied: 0, invalid: 0, failed: 0 };
}
