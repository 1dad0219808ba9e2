import type { IssuedTokens } from './issued-tokens.ts';
import type { Principal } from './principal.ts';
import { tokenKindOf } from './token-text.ts';

/**
 * Whom a path token stands for: `mistyped` for one whose checksum shows that it was never given out, `api` for what is
 * written as an API token. Both are told by the text alone, so they say nothing about which tokens there are.
 */
export type PathTokens = (text: string) => Principal | 'mistyped' | 'api' | undefined;

/** Path tokens (`/v2/wt/<token>/...`), for clients that cannot log in. Looked up with each request. */
export function createPathTokens(tokens: Pick<IssuedTokens, 'find'>): PathTokens {
  return (text) => {
    const principal = tokens.find('path', text);
    if (principal !== undefined) return principal;
    const kind = tokenKindOf(text);
    return kind === 'path' ? undefined : kind;
  };
}
