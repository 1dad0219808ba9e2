import type { Clock } from './clock.ts';

/** Whether a server is stopping, and how long its requests in flight may take: all listeners share one allowance. */
export class Stop {
  readonly #clock: Clock;
  readonly #allowedMs: number;
  #end: number | undefined;

  /** `allowedMs`: how long requests in flight may take from the beginning of the stop. */
  constructor(clock: Clock, allowedMs: number) {
    this.#clock = clock;
    this.#allowedMs = allowedMs;
  }

  /** Begins the stop. Later calls change nothing. */
  begin(): void {
    this.#end ??= this.#clock.monotonic() + this.#allowedMs;
  }

  get hasBegun(): boolean {
    return this.#end !== undefined;
  }

  /** Milliseconds of the allowance that are left. */
  get drainMs(): number {
    return this.#end === undefined ? this.#allowedMs : Math.max(0, this.#end - this.#clock.monotonic());
  }
}
