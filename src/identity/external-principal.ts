import { limits, organisationOfEmail } from '../base/index.ts';
import type { Principal, Right } from './principal.ts';

/** Invisible and bidirectional characters, because a name appears in logs, tables and terminals. */
const unseen = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;
const pullOnly: readonly Right[] = ['pull'];

/**
 * A principal that another system has identified. Without an organisation it has only the right to pull, because it
 * would otherwise see the usage of all organisations. Drops an e-mail address without an organisation.
 */
export function externalPrincipal(user: {
  readonly name: string;
  readonly email: string | undefined;
  readonly org: string | undefined;
  readonly rights: readonly Right[];
}): Principal {
  const { email, org } = user;
  const hasEmail = email !== undefined && organisationOfEmail(email) !== undefined;
  return Object.freeze({
    subject: (hasEmail ? email : user.name).slice(0, limits.eventUserLengthMax).replace(unseen, '\uFFFD'),
    ...(hasEmail && { email }),
    ...(org !== undefined && { org }),
    rights: new Set(org === undefined ? pullOnly : user.rights),
  });
}
