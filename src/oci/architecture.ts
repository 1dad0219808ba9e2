/** What an architecture can look like: it becomes a dimension of the usage, so that nobody's free text gets in. */
const architecturePattern = /^[a-z0-9][a-z0-9_.-]{0,63}$/;

/**
 * The architecture that a config, a platform or a schema 1 manifest says, in lower case and without variant. Null when
 * it says none: nothing, `unknown` (as build attestations do) or something that is no architecture's name.
 */
export function architectureOf(value: unknown): string | null {
  if (typeof value !== 'string') return null;
  const name = value.trim().toLowerCase();
  return name !== 'unknown' && architecturePattern.test(name) ? name : null;
}
