import { TonnageError } from '../../base/index.ts';
import type { Principal } from '../../identity/index.ts';

/**
 * The organisation that a principal's questions are confined to: its own, unless it has `admin` or none. Throws
 * `forbidden` when it asks for another one by `asked`, whose value is not repeated.
 */
export function confinedTo(principal: Principal, asked: string | undefined): string | undefined {
  const { org, rights } = principal;
  if (org === undefined || rights.has('admin')) return undefined;
  if (asked === undefined || asked.toLowerCase() === org) return org;
  throw new TonnageError('forbidden', `org: expected ${JSON.stringify(org)}, the organisation of these credentials`);
}
