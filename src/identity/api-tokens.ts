import type { Authenticator, Verdict } from './authenticator.ts';
import type { IssuedTokens } from './issued-tokens.ts';

/**
 * API tokens, as Bearer or as the password of Basic under any user name, which is how `docker login` sends them. What looks
 * like one and is not good is wrong, and shown to nobody else.
 */
export function createApiTokens(tokens: Pick<IssuedTokens, 'find'>): Extract<Authenticator, { kind: 'lookup' }> {
  return {
    kind: 'lookup',
    authenticate(credential): Verdict {
      const text = credential.scheme === 'bearer' ? credential.token : credential.password;
      return text.startsWith('tng_') ? (tokens.find('api', text) ?? 'wrong') : undefined;
    },
  };
}
