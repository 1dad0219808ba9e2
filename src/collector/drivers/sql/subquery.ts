/**
 * Selects at most `rowsMax + 1` rows of a statement. Within a query, the server takes nothing but another query: no
 * statement that writes, sets or ends a transaction, and no second statement. `alias`: the name that some servers need.
 */
export function subqueryOf(sql: string, rowsMax: number, alias = ''): string {
  return `SELECT * FROM (\n${sql.replace(/;\s*$/, '')}\n) ${alias} LIMIT ${rowsMax + 1}`;
}
