import { isIPv6 } from 'node:net';
import { limits, type Clock } from '../base/index.ts';

const minuteMs = 60_000;

/** A try that has begun. Counts as failed until it says otherwise, so that tries at the same time are bounded as well. */
export interface Attempt {
  /** It was no failure: the credentials were good, or could not be looked at. */
  forgive(): void;
}

/** Counts the failed logins of each address within the last minute, and says when one has to wait. */
export class LoginLimiter {
  readonly #clock: Clock;
  /** Times (monotonic, in milliseconds, oldest first) of failures, by address; the address that failed last is last. */
  readonly #failures = new Map<string, readonly number[]>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Begins a try from `address`; a number instead is how many seconds (at least 1) it has to wait before it may. */
  attempt(address: string): Attempt | number {
    const key = networkOf(address);
    const now = this.#clock.monotonic();
    const recent = this.#recent(key, now);
    const [oldest] = recent;
    if (oldest !== undefined && recent.length >= limits.loginFailuresPerMinuteMax) {
      return Math.max(1, Math.ceil((oldest + minuteMs - now) / 1000));
    }
    this.#keep(key, [...recent, now]);
    return { forgive: () => this.#forgive(key, now) };
  }

  #recent(key: string, now: number): readonly number[] {
    return (this.#failures.get(key) ?? []).filter((time) => time > now - minuteMs);
  }

  #keep(key: string, times: readonly number[]): void {
    this.#failures.delete(key);
    if (times.length > 0) this.#failures.set(key, times);
    if (this.#failures.size <= limits.loginFailureAddressesMax) return;
    for (const oldest of this.#failures.keys()) {
      this.#failures.delete(oldest);
      break;
    }
  }

  #forgive(key: string, time: number): void {
    const times = this.#failures.get(key) ?? [];
    const index = times.indexOf(time);
    if (index >= 0) this.#keep(key, times.toSpliced(index, 1));
  }
}

/** An IPv4 address by itself; an IPv6 address as its /64, within which one client can choose freely (RFC 4291). */
export function networkOf(address: string): string {
  const plain = address.replace(/%.*$/, '').replace(/^::ffff:(?=\d+\.)/i, '');
  if (!isIPv6(plain)) return plain;
  const [head = '', tail] = plain.toLowerCase().split('::');
  const groups = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  if (tail !== undefined)
    groups.push(...Array.from({ length: Math.max(0, 8 - groups.length - after.length) }, () => '0'), ...after);
  return `${groups
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':')}::/64`;
}
