/**
 * Checks an invariant of our own code. A breach is a programmer's error: it throws with the prefix `BUG:`, is never
 * caught on purpose, and never depends on what a user sent.
 */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`BUG: ${message}`);
}

/** The default branch of an exhaustive switch: the compiler refuses it as long as a case is missing. */
export function unreachable(value: never): never {
  throw new Error(`BUG: unexpected value ${JSON.stringify(value)}`);
}
