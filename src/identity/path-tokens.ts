import type { IssuedTokens } from './issued-tokens.ts';
import type { Principal } from './principal.ts';
import { tokenKindOf } from './token-text.ts';

/** Whom a path token stands for: `mistyped` for one whose checksum shows that it was never given out. */
export type PathTokens = (text: string) => Principal | 'mistyped' | undefined;

/** Path tokens (`/v2/wt/<token>/...`), for clients that cannot log in. Looked up with each request. */
export function createPathTokens(tokens: Pick<IssuedTokens, 'find'>): PathTokens {
  return (text) => tokens.find('path', text) ?? (tokenKindOf(text) === 'mistyped' ? 'mistyped' : undefined);
}
