import { TonnageError } from '../base/index.ts';
import type { Authenticator } from './authenticator.ts';
import type { TokenManager } from './issued-tokens.ts';
import type { Principal } from './principal.ts';

/** A Seqera Platform, which identifies the owners of its access tokens. */
type Platform = Extract<Authenticator, { kind: 'check' }>;

/**
 * Supports `platformToken` in token requests: the new token belongs to the owner of that Platform token. As in Wave,
 * the owner is stored, not the Platform's token, and pulls do not query the Platform. `platform` is absent if none is
 * configured. `create` rejects with `identity_unavailable` if the Platform is unavailable.
 */
export function withPlatform(manager: TokenManager, platform: Platform | undefined): TokenManager {
  return {
    async create({ platformToken, ...request }) {
      if (platformToken === undefined) return manager.create(request);
      if (request.kind !== 'path') throw refused('a path token, got one of another kind');
      if (request.email !== undefined || request.org !== undefined) {
        throw refused('neither email nor org with it, because they come from the Platform');
      }
      const { subject, email, org } = await ownerOf(platformToken, platform);
      return manager.create({ ...request, name: request.name ?? subject, email, org });
    },
    list: () => manager.list(),
    revoke: (id) => manager.revoke(id),
  };
}

function refused(expected: string): TonnageError {
  return new TonnageError('bad_request', `platformToken: expected ${expected}`);
}

async function ownerOf(token: string, platform: Platform | undefined): Promise<Principal> {
  if (platform === undefined) throw refused('a server with identity.platform in its configuration');
  const verdict = await platform.authenticate({ scheme: 'bearer', token });
  if (verdict === 'busy' || verdict === 'unknown') {
    throw new TonnageError(
      'identity_unavailable',
      'the Seqera Platform is unavailable, so this token cannot be checked; try again',
    );
  }
  if (typeof verdict !== 'object') throw refused('an access token that the Platform knows, got an unknown one');
  return 'principal' in verdict ? verdict.principal : verdict;
}
