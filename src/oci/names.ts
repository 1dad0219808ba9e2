import { limits } from '../base/index.ts';
import { parseDigest, type Digest } from './digest.ts';

/** The `<reference>` in a manifest path: a tag or a digest (distribution spec, "Pulling manifests"). */
export type Reference =
  { readonly kind: 'tag'; readonly tag: string } | { readonly kind: 'digest'; readonly digest: Digest };

/**
 * One segment of a repository name. The pattern cannot backtrack: separators and alphanumeric runs share no character,
 * so there is only one way to match a string.
 */
const segmentPattern = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const tagPattern = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;

/** Whether the string is a `<name>` of the distribution spec, of any depth. */
export function isRepositoryName(text: string): boolean {
  if (text.length === 0 || text.length > limits.repositoryNameLengthMax) return false;
  return text.split('/').every((segment) => segmentPattern.test(segment));
}

/** Whether the string is a tag. Tags are case-sensitive. */
export function isTag(text: string): boolean {
  return tagPattern.test(text);
}

/** Parses a reference. Returns null if the string is neither a tag nor a digest of a registered algorithm. */
export function parseReference(text: string): Reference | null {
  if (isTag(text)) return { kind: 'tag', tag: text };
  const digest = parseDigest(text);
  return digest === null ? null : { kind: 'digest', digest };
}
