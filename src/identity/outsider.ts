import { limits, organisationOfEmail } from '../base/index.ts';
import type { Principal, Right } from './principal.ts';

/** What cannot be seen, or turns the text around it: a name goes into logs, tables and terminals. */
const unseen = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;
const pullOnly: readonly Right[] = ['pull'];

/**
 * Somebody whom another system vouches for. Without an organisation they would be bound to none, and see them all: they
 * may only pull then, whatever `rights` says. An e-mail address that gives no organisation is not kept.
 */
export function outsider(who: {
  readonly name: string;
  readonly email: string | undefined;
  readonly org: string | undefined;
  readonly rights: readonly Right[];
}): Principal {
  const { email, org } = who;
  const hasEmail = email !== undefined && organisationOfEmail(email) !== undefined;
  return Object.freeze({
    subject: (hasEmail ? email : who.name).slice(0, limits.eventUserLengthMax).replace(unseen, '\uFFFD'),
    ...(hasEmail && { email }),
    ...(org !== undefined && { org }),
    rights: new Set(org === undefined ? pullOnly : who.rights),
  });
}
