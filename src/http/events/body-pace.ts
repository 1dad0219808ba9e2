import { limits, TonnageError, type Clock } from '../../base/index.ts';

/** A body that is being received. */
interface PacedBody {
  /** Bytes received so far. */
  received(): number;
  fail(error: TonnageError): void;
}

interface Watched {
  readonly body: PacedBody;
  readonly startedMs: number;
  windowStartedMs: number;
  receivedBefore: number;
}

interface PaceOptions {
  readonly clock: Pick<Clock, 'monotonic'>;
  /** Whether memory for bodies is short, so that a body must arrive before a deadline. */
  readonly isShort: () => boolean;
}

/** Enforces a minimum rate for bodies, and a short deadline while memory is short. */
export class BodyPace {
  readonly #options: PaceOptions;
  readonly #watched = new Set<Watched>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: PaceOptions) {
    this.#options = options;
  }

  /** Watches a body. Returns a function that stops watching it. */
  watch(body: PacedBody): () => void {
    const now = this.#options.clock.monotonic();
    const watched = { body, startedMs: now, windowStartedMs: now, receivedBefore: 0 };
    this.#watched.add(watched);
    this.#timer ??= setInterval(() => this.#check(), limits.eventBodyCheckMs).unref();
    return () => {
      this.#watched.delete(watched);
      if (this.#watched.size > 0) return;
      clearInterval(this.#timer);
      this.#timer = undefined;
    };
  }

  #check(): void {
    const now = this.#options.clock.monotonic();
    for (const watched of this.#watched) {
      if (this.#options.isShort() && now - watched.startedMs >= limits.eventBodyShortMsMax) {
        watched.body.fail(outOfMemory());
      } else if (now - watched.windowStartedMs >= limits.eventBodyWindowMs) {
        this.#checkRate(watched, now);
      }
    }
  }

  #checkRate(watched: Watched, now: number): void {
    const received = watched.body.received();
    const seconds = (now - watched.windowStartedMs) / 1000;
    const bytes = received - watched.receivedBefore;
    watched.windowStartedMs = now;
    watched.receivedBefore = received;
    if (bytes < seconds * limits.eventBodyBytesPerSecondMin) watched.body.fail(tooSlow(bytes, seconds));
  }
}

function outOfMemory(): TonnageError {
  const seconds = limits.eventBodyShortMsMax / 1000;
  return new TonnageError(
    'unavailable',
    `memory for bodies is short: expected this body within ${seconds} s, but it is incomplete; send it again`,
  );
}

function tooSlow(bytes: number, seconds: number): TonnageError {
  const rate = limits.eventBodyBytesPerSecondMin;
  return new TonnageError(
    'request_too_slow',
    `body: expected at least ${rate} bytes a second, got ${bytes} bytes in ${Math.round(seconds)} s`,
  );
}
