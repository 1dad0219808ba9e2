/** The only place that reads the machine's clocks: everything else is given a `Clock`, so tests can move time. */
export interface Clock {
  /** Wall-clock time in milliseconds since the Unix epoch. May jump either way. */
  now(): number;
  /** Monotonic time in milliseconds from an arbitrary origin. Never goes back: for durations and deadlines. */
  monotonic(): number;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
};
