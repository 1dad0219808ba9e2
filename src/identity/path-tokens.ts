import type { IssuedTokens } from './issued-tokens.ts';
import type { Principal } from './principal.ts';
import { tokenKindOf } from './token-text.ts';

/**
 * The principal of a path token; `undefined` if it is unknown. `mistyped`: its checksum is wrong. `api`: it has the
 * form of an API token. Both depend on the text only, so they do not reveal which tokens exist.
 */
export type PathTokens = (text: string) => Principal | 'mistyped' | 'api' | undefined;

/** Looks up path tokens (`/v2/wt/<token>/...`), which are for clients that cannot log in. */
export function createPathTokens(tokens: Pick<IssuedTokens, 'find'>): PathTokens {
  return (text) => {
    const principal = tokens.find('path', text);
    if (principal !== undefined) return principal;
    const kind = tokenKindOf(text);
    return kind === 'path' ? undefined : kind;
  };
}
