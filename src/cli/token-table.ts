import type { TokenInfo } from '../identity/index.ts';

const head = ['ID', 'KIND', 'NAME', 'ORG', 'RIGHTS', 'CREATED', 'EXPIRES', 'LAST USED', 'SCOPE'];

/** Formats tokens as a table, with days in UTC. `now` is in milliseconds since the Unix epoch. */
export function tokensAsTable(tokens: readonly TokenInfo[], now: number): string {
  const rows = [head, ...tokens.map((token) => cellsOf(token, now))];
  const widths = head.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  return `${rows.map(line).join('\n')}\n`;
}

function cellsOf(token: TokenInfo, now: number): readonly string[] {
  const { id, kind, name = '-', org = '-', rights, createdAt, expiresAt, usedAt } = token;
  const expired = expiresAt !== undefined && expiresAt <= now;
  return [
    id,
    kind,
    name,
    org,
    rights.join(','),
    dayOf(createdAt),
    expiresAt === undefined ? 'never' : `${dayOf(expiresAt)}${expired ? ' (expired)' : ''}`,
    usedAt === undefined ? 'never' : dayOf(usedAt),
    scopeOf(token),
  ];
}

/** The repositories that a token may pull, or the Debusine scope that it reads. */
function scopeOf({ scope, debusineScope }: TokenInfo): string {
  return debusineScope === undefined ? (scope?.join(',') ?? 'all') : `Debusine: ${debusineScope}`;
}

function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
