import { limits } from '../base/index.ts';
import { parseDigest, type Digest } from './digest.ts';

/** What `<reference>` in a manifest path can be: a tag or a digest, nothing else (distribution spec, pulling manifests). */
export type Reference =
  { readonly kind: 'tag'; readonly tag: string } | { readonly kind: 'digest'; readonly digest: Digest };

/**
 * One segment of a repository name. Linear by construction: a separator must be followed by an alphanumeric run, and
 * the two share no character, so that there is one way only to read a text.
 */
const segmentPattern = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const tagPattern = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;

/** Whether the text is a `<name>` of the distribution spec, of any depth. */
export function isRepositoryName(text: string): boolean {
  if (text.length === 0 || text.length > limits.repositoryNameLengthMax) return false;
  return text.split('/').every((segment) => segmentPattern.test(segment));
}

/** Whether the text is a tag. Tags are case-sensitive: `v1` and `V1` are two. */
export function isTag(text: string): boolean {
  return tagPattern.test(text);
}

/** Reads a reference; null when the text is neither a tag nor a digest of a registered algorithm. */
export function parseReference(text: string): Reference | null {
  if (isTag(text)) return { kind: 'tag', tag: text };
  const digest = parseDigest(text);
  return digest === null ? null : { kind: 'digest', digest };
}
