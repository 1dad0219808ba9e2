import { canonicalOrganisation, TonnageError } from '../../base/index.ts';
import type { Principal } from '../../identity/index.ts';
import type { UsageAnswer, UsageQuery } from '../../usage/index.ts';

/**
 * Returns the only organisation that a principal may query; `undefined` if it has none or is an admin. Throws
 * `forbidden` if `wanted` is another organisation. The message does not repeat `wanted`.
 */
export function confinedTo(principal: Principal, wanted: string | undefined): string | undefined {
  const { org, rights } = principal;
  if (org === undefined || rights.has('admin')) return undefined;
  if (wanted === undefined || canonicalOrganisation(wanted) === org) return org;
  throw new TonnageError('forbidden', `org: expected ${JSON.stringify(org)}, the organisation of these credentials`);
}

/**
 * Sets the start date of a query for `org` to that organisation's first day, if the query has none. The default, the
 * first day of all data, would reveal when other organisations started.
 */
export async function sinceOwnFirstDay(
  run: (query: UsageQuery) => Promise<UsageAnswer>,
  query: UsageQuery,
  org: string,
): Promise<UsageQuery> {
  if (query.from !== undefined) return query;
  const { meter, to } = query;
  const days = { meter, ...(to !== undefined && { to }), window: 'day', by: [], where: { org } } as const;
  const first = await run({ ...days, limit: 1, offset: 0 });
  // Without data: an open range becomes today, a range with an end becomes empty.
  return { ...query, from: first.rows[0]?.from ?? to ?? first.to - 1 };
}
