import { limits, Lru, parseAddress, type Clock } from '../base/index.ts';

const minuteMs = 60_000;

/** A try that has begun; it ends by one of these, once. */
export interface Attempt {
  /** Failures of this address within the last minute, and its tries under way: the more there are, the later its turn. */
  readonly rank: () => number;
  /** The credentials were wrong. */
  fail(): void;
  /** It was no failure: the credentials were good, or could not be looked at. */
  forgive(): void;
}

/** Tries of one address that are under way, and those that wait until it is known what came of them. */
interface Pending {
  running: number;
  readonly waiting: (() => void)[];
}

/**
 * Counts the failed logins of each address within the last minute, and says when one has to wait. As many as may fail
 * run at a time; the others wait for what comes of them. So guesses at the same time are bounded as those one after the
 * other are, and good logins are let in, however many come together from behind one address.
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

  /** Begins a try from `address`; a number instead is how many seconds (at least 1) it has to wait before it may. */
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

  /** Whether it hangs on tries that are under way if another one may begin; then there is at least one. */
  #isUndecided(key: string, { running }: Pending): boolean {
    const failed = this.#recent(key).length;
    return failed < limits.loginFailuresPerMinuteMax && failed + running >= limits.loginFailuresPerMinuteMax;
  }

  #recent(key: string): readonly number[] {
    const now = this.#clock.monotonic();
    return (this.#failures.get(key) ?? []).filter((time) => time > now - minuteMs);
  }
}

/** An IPv4 address by itself; an IPv6 address as its /64, within which one client can choose freely (RFC 4291). */
export function networkOf(text: string): string {
  const address = parseAddress(text);
  if (address === undefined) return text;
  return address.bits === 32 ? `4/${address.value}` : `6/${address.value >> 64n}`;
}
