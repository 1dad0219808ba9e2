import { TonnageError } from '../base/index.ts';
import type { Authenticator } from './authenticator.ts';
import type { TokenDesk } from './issued-tokens.ts';
import type { Principal } from './principal.ts';

/** A Seqera Platform, which says whose its access tokens are. */
export type Platform = Extract<Authenticator, { kind: 'check' }>;

/**
 * Makes tokens for whoever the Platform says that one of its own is of (`platformToken` of a wish): its answer is kept, the
 * Platform's token is not, and nobody is asked again when images are pulled, as at Wave. `platform` absent: none is
 * configured. Rejects with `identity_unavailable` where it does not say.
 */
export function withPlatform(desk: TokenDesk, platform: Platform | undefined): TokenDesk {
  return {
    async create({ platformToken, ...wish }) {
      if (platformToken === undefined) return desk.create(wish);
      if (wish.kind !== 'path') throw refused('a path token, got one of another kind');
      if (wish.email !== undefined || wish.org !== undefined) {
        throw refused('neither email nor org beside it, since the Platform says what they are');
      }
      const { subject, email, org } = await ownerOf(platformToken, platform);
      return desk.create({ ...wish, name: wish.name ?? subject, email, org });
    },
    list: () => desk.list(),
    revoke: (id) => desk.revoke(id),
  };
}

function refused(expected: string): TonnageError {
  return new TonnageError('bad_request', `platformToken: expected ${expected}`);
}

async function ownerOf(token: string, platform: Platform | undefined): Promise<Principal> {
  if (platform === undefined) throw refused('a server that has identity.platform in its configuration');
  const verdict = await platform.authenticate({ scheme: 'bearer', token });
  if (verdict === 'busy' || verdict === 'unknown') {
    throw new TonnageError(
      'identity_unavailable',
      'the Platform that knows whose token this is does not say; try again',
    );
  }
  if (typeof verdict !== 'object') throw refused('an access token that the Platform knows, got another');
  return 'principal' in verdict ? verdict.principal : verdict;
}
