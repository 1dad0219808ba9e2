import { TonnageError } from '../../base/index.ts';
import type { Principal } from '../../identity/index.ts';
import { canonicalOrganisation, type UsageAnswer, type UsageQuery } from '../../usage/index.ts';

/**
 * The organisation that a principal's questions are confined to: its own, unless it has `admin` or none. Throws
 * `forbidden` when it asks for another one by `asked`, whose value is not repeated.
 */
export function confinedTo(principal: Principal, asked: string | undefined): string | undefined {
  const { org, rights } = principal;
  if (org === undefined || rights.has('admin')) return undefined;
  if (asked === undefined || canonicalOrganisation(asked) === org) return org;
  throw new TonnageError('forbidden', `org: expected ${JSON.stringify(org)}, the organisation of these credentials`);
}

/**
 * A question that is confined to `org` and names no first day, from the first day of that organisation: when others began
 * shows in none of its answers.
 */
export async function sinceOwnFirstDay(
  ask: (query: UsageQuery) => Promise<UsageAnswer>,
  query: UsageQuery,
  org: string,
): Promise<UsageQuery> {
  if (query.from !== undefined) return query;
  const { meter, to } = query;
  const days = { meter, ...(to !== undefined && { to }), window: 'day', by: [], where: { org } } as const;
  const first = await ask({ ...days, limit: 1, offset: 0 });
  // Where there is nothing an open range is the current day, and one that ends somewhere is empty.
  return { ...query, from: first.rows[0]?.from ?? to ?? first.to - 1 };
}
