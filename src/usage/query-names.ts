import { canonicalArch } from './arch.ts';
import { foldedValue, type Dimension } from './dimensions.ts';
import { canonicalOrganisation } from './organisation.ts';
import type { UsageAnswer, UsageQuery } from './query.ts';
import { refused } from './refused.ts';

/** Dimensions whose values are counted in one form, however they are written. */
const forms: readonly {
  readonly name: 'org' | 'arch';
  readonly canonical: (text: string) => string | undefined;
  readonly expected: string;
}[] = [
  {
    name: 'org',
    canonical: canonicalOrganisation,
    expected: 'an organisation such as example.org, or one that is in the counts',
  },
  {
    name: 'arch',
    canonical: canonicalArch,
    expected: 'an architecture such as amd64, or one that is in the counts',
  },
];

/**
 * The question as its totals can be found: organisation and architecture in the form in which they are counted, lower case
 * and without aliases. What is in the counts just as it is written is left alone: counts that were taken over from Wave keep
 * their letters. Only what is written in another form is looked up, by `ask`. Rejects with `bad_request` for what is in no
 * counts of the meter and could never be.
 */
export async function asCounted(
  query: UsageQuery,
  ask: (query: UsageQuery) => Promise<Pick<UsageAnswer, 'rows'>>,
): Promise<UsageQuery> {
  const where: { -readonly [D in Dimension]?: string | null } = { ...query.where };
  for (const { name, canonical, expected } of forms) {
    const value = where[name];
    if (value === undefined || value === null || value === foldedValue) continue;
    const counted = canonical(value);
    if (counted === value || (await isThere({ ...query, where }, name, value, ask))) continue;
    if (counted === undefined) throw refused(name, expected, value);
    where[name] = counted;
  }
  return { ...query, where };
}

/**
 * Whether the value is in the counts of any day, of the organisation where one is asked for: whether others have it shows in
 * no answer. The first name that begins with it is itself, if it is there.
 */
async function isThere(
  { meter, where }: Pick<UsageQuery, 'meter' | 'where'>,
  name: 'org' | 'arch',
  value: string,
  ask: (query: UsageQuery) => Promise<Pick<UsageAnswer, 'rows'>>,
): Promise<boolean> {
  const { org } = where;
  const of = name === 'org' || org === undefined ? {} : { org };
  const names = { meter, window: 'total', by: [name], where: of, names: { prefix: value } } as const;
  const { rows } = await ask({ ...names, limit: 1, offset: 0 });
  return rows[0]?.dimensions[name] === value;
}
