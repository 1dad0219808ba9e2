import { limits, Lru, parseAddress, type Clock } from '../base/index.ts';

const minuteMs = 60_000;

/** A login attempt that has begun. The caller ends it by calling `fail` or `forgive` once. */
export interface Attempt {
  /** Failures of this address within the last minute plus its attempts in flight. A higher rank waits longer. */
  readonly rank: () => number;
  /** The credentials were wrong. */
  fail(): void;
  /** The credentials were valid or could not be checked. */
  forgive(): void;
}

/** The attempts of one address: those in flight, and those that wait for their results. */
interface Pending {
  running: number;
  readonly waiting: (() => void)[];
}

/**
 * Limits failed logins per address and minute. At most as many attempts as may still fail run at a time; further
 * attempts wait for their results. This bounds concurrent guesses like sequential ones, and still admits any number of
 * concurrent valid logins from one address.
 */
export class LoginLimiter {
  readonly #clock: Clock;
  /** Times (monotonic, in milliseconds, oldest first) of failures, by address. */
  readonly #failures = new Lru<readonly number[]>(limits.loginFailureAddressesMax);
  /** By address. */
  readonly #pending = new Map<string, Pending>();
  #waiting = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Begins an attempt from `address`. A number is the seconds (at least 1) after which the client may try again. */
  attempt(address: string): Attempt | number | Promise<Attempt | number> {
    return this.#attempt(networkOf(address));
  }

  #attempt(key: string): Attempt | number | Promise<Attempt | number> {
    const recent = this.#recent(key);
    const [oldest] = recent;
    if (oldest !== undefined && recent.length >= limits.loginFailuresPerMinuteMax) {
      return Math.max(1, Math.ceil((oldest + minuteMs - this.#clock.monotonic()) / 1000));
    }
    const pending = this.#pending.get(key) ?? { running: 0, waiting: [] };
    if (recent.length + pending.running < limits.loginFailuresPerMinuteMax) {
      this.#pending.set(key, pending);
      pending.running++;
      const rank = (): number => this.#recent(key).length + pending.running;
      return { rank, fail: () => this.#end(key, pending, true), forgive: () => this.#end(key, pending, false) };
    }
    if (this.#waiting >= limits.loginsWaitingMax) return 1;
    this.#waiting++;
    return new Promise((resolve) => pending.waiting.push(() => resolve(this.#attempt(key))));
  }

  #end(key: string, pending: Pending, failed: boolean): void {
    pending.running--;
    if (failed) this.#failures.set(key, [...this.#recent(key), this.#clock.monotonic()]);
    while (pending.waiting.length > 0 && !this.#isUndecided(key, pending)) {
      this.#waiting--;
      pending.waiting.shift()?.();
    }
    if (pending.running === 0) this.#pending.delete(key);
  }

  /** Whether attempts in flight decide if another one may begin. */
  #isUndecided(key: string, { running }: Pending): boolean {
    const failed = this.#recent(key).length;
    return failed < limits.loginFailuresPerMinuteMax && failed + running >= limits.loginFailuresPerMinuteMax;
  }

  #recent(key: string): readonly number[] {
    const now = this.#clock.monotonic();
    return (this.#failures.get(key) ?? []).filter((time) => time > now - minuteMs);
  }
}

/** An IPv4 address, or the /64 network of an IPv6 address, in which one client can choose any address (RFC 4291). */
export function networkOf(text: string): string {
  const address = parseAddress(text);
  if (address === undefined) return text;
  return address.bits === 32 ? `4/${address.value}` : `6/${address.value >> 64n}`;
}
