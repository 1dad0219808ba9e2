import type { Query } from './family.ts';

/** The tables of the query that the server's message names, with the columns that it names or that the query reads. */
export function subjectOf(thrown: unknown, { reads }: Query): string {
  const words = new Set(thrown instanceof Error ? thrown.message.split(/[^\p{L}\p{N}_]+/u) : []);
  const tables = Object.entries(reads).map(([table, columns]) => ({
    isNamed: words.has(table),
    table,
    columns: columns.filter((column) => words.has(column)),
  }));
  const byColumn = tables.filter(({ columns }) => columns.length > 0);
  const named = tables.filter(({ isNamed }) => isNamed);
  const shown = named.length > 0 ? named : byColumn.length > 0 ? byColumn : tables;
  return shown
    .map(({ table, columns }) =>
      columns.length > 0 ? columns.map((column) => `${table}.${column}`).join(', ') : table,
    )
    .join(', ');
}
