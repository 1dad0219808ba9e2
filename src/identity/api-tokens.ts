import type { Authenticator, Verdict } from './authenticator.ts';
import type { IssuedTokens } from './issued-tokens.ts';

/**
 * Authenticates API tokens, sent as Bearer or, as `docker login` does, as the password of Basic with any user name. An
 * invalid one is `wrong`: other authenticators do not see it.
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
