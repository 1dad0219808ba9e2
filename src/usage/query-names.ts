import { canonicalOrganisation } from '../base/index.ts';
import { canonicalArch } from './arch.ts';
import { foldedValue, type Dimension } from './dimensions.ts';
import type { UsageAnswer, UsageQuery } from './query.ts';
import { refused } from './refused.ts';

/** Dimensions whose values are stored in a canonical form. */
const forms: readonly {
  readonly name: 'org' | 'arch';
  readonly canonical: (text: string) => string | undefined;
  readonly expected: string;
}[] = [
  {
    name: 'org',
    canonical: canonicalOrganisation,
    expected: 'an organisation such as example.org, or one that has been counted',
  },
  {
    name: 'arch',
    canonical: canonicalArch,
    expected: 'an architecture such as amd64, or one that has been counted',
  },
];

/**
 * Converts the organisation and architecture of a query to their canonical form: lower case, without aliases. Keeps a
 * value that the ledger contains as written, because counts imported from Wave keep their letters; uses `run` to find
 * out. Rejects with `bad_request` for a value that is neither in the ledger nor has a canonical form.
 */
export async function canonicalQuery(
  query: UsageQuery,
  run: (query: UsageQuery) => Promise<Pick<UsageAnswer, 'rows'>>,
): Promise<UsageQuery> {
  const where: { -readonly [D in Dimension]?: string | null } = { ...query.where };
  for (const { name, canonical, expected } of forms) {
    const value = where[name];
    if (value === undefined || value === null || value === foldedValue) continue;
    const stored = canonical(value);
    if (stored === value || (await isStored({ ...query, where }, name, value, run))) continue;
    if (stored === undefined) throw refused(name, expected, value);
    where[name] = stored;
  }
  return { ...query, where };
}

/**
 * Whether the ledger contains the value on any day. Looks only at the organisation of the query, so that the result
 * reveals nothing about others. If the value exists, it is the first one with itself as prefix.
 */
async function isStored(
  { meter, where }: Pick<UsageQuery, 'meter' | 'where'>,
  name: 'org' | 'arch',
  value: string,
  run: (query: UsageQuery) => Promise<Pick<UsageAnswer, 'rows'>>,
): Promise<boolean> {
  const { org } = where;
  const of = name === 'org' || org === undefined ? {} : { org };
  const names = { meter, window: 'total', by: [name], where: of, names: { prefix: value } } as const;
  const { rows } = await run({ ...names, limit: 1, offset: 0 });
  return rows[0]?.dimensions[name] === value;
}
