/** Architectures become a usage dimension, so free text must not get in. */
const architecturePattern = /^[a-z0-9][a-z0-9_.-]{0,63}$/;

/**
 * Normalises the `architecture` member of an image config, a platform or a schema 1 manifest: lower case, no variant.
 * Returns null if the value is missing, malformed or `unknown` (build attestations use `unknown`).
 */
export function architectureOf(value: unknown): string | null {
  if (typeof value !== 'string') return null;
  const name = value.trim().toLowerCase();
  return name !== 'unknown' && architecturePattern.test(name) ? name : null;
}
