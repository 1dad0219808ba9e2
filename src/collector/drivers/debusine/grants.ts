import { baseFamilies } from './families.ts';
import type { Query } from './family.ts';
import { optionalFamilies } from './optional-families.ts';

export interface GrantOptions {
  /** The role that Tonnage reads the database as. */
  readonly role: string;
  /** The optional families that it reads besides those of Debusine itself. */
  readonly families: readonly string[];
  /** Whether it may read the summary, which must be installed. */
  readonly summary: boolean;
}

/** SQL that gives a role the columns that the families read, and nothing else. Comments say how to create the role. */
export function grantStatements({ role, families, summary }: GrantOptions): readonly string[] {
  const chosen = [...baseFamilies, ...optionalFamilies.filter(({ name }) => families.includes(name))];
  const queries = chosen.flatMap((family) => family.queries);
  const views = summary ? queries.flatMap(({ fromSummary }) => fromSummary ?? []) : [];
  const to = `TO ${quoted(role)};`;
  return [
    '-- Run this in the database of Debusine, as the owner of its tables or as a superuser. The role must exist:',
    `--   CREATE ROLE ${quoted(role)} LOGIN PASSWORD '...' CONNECTION LIMIT 3;`,
    `GRANT USAGE ON SCHEMA public ${to}`,
    ...(views.length > 0 ? [`GRANT USAGE ON SCHEMA tonnage ${to}`] : []),
    ...[...columnsOf([...queries, ...views])].map(
      ([table, columns]) => `GRANT SELECT (${[...columns].join(', ')}) ON ${table} ${to}`,
    ),
  ];
}

/** All columns that the queries read, by table with its schema. */
function columnsOf(queries: readonly Pick<Query, 'reads'>[]): ReadonlyMap<string, ReadonlySet<string>> {
  const tables = new Map<string, Set<string>>();
  for (const [name, columns] of queries.flatMap(({ reads }) => Object.entries(reads))) {
    const table = name.includes('.') ? name : `public.${name}`;
    const known = tables.get(table) ?? new Set<string>();
    tables.set(table, known);
    for (const column of columns) known.add(column);
  }
  return tables;
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
