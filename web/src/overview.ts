import { readAllUsage, readUsage, type UsageAnswer } from './api.ts';
import { addDays } from './days.ts';

/** The number of days on the page, including today. */
export const shownDays = 30;

/** The most rows of a table. One more row sums the rest. */
const tableRows = 20;

/** A part of the page: the answer, or the reason why there is none. */
export type Part = { readonly answer: UsageAnswer } | { readonly failure: string };

/** Everything that the page shows. */
export interface Overview {
  readonly from: string;
  readonly to: string;
  /** The total since the first day with data. */
  readonly ever: bigint;
  /** Counts are known to be missing. */
  readonly incomplete: boolean;
  readonly days: Part;
  readonly organisations: Part;
  readonly architectures: Part;
  readonly repositories: Part;
}

/** The dimensions that each table is grouped by. */
export const tableDimensions = {
  organisations: ['org'],
  architectures: ['arch'],
  repositories: ['upstream', 'repository'],
} as const;

/** The query of a table, without its paging. */
export function tableQuery(table: keyof typeof tableDimensions, from: string, to: string): Record<string, string> {
  return { by: tableDimensions[table].join(','), from, to };
}

/**
 * Reads all parts of the page. Rejects with `ApiError` if the first query fails. If a later one fails, for example because its
 * dimension is not kept, only its part of the page is missing.
 */
export async function readOverview(): Promise<Overview> {
  // The server defines today: days end at midnight in the ledger's time zone, not in the browser's.
  const { to, total: ever, incomplete = false } = await readUsage({});
  const from = addDays(to, -shownDays);
  const table = (name: keyof typeof tableDimensions): Promise<Part> =>
    part(readUsage({ ...tableQuery(name, from, to), limit: String(tableRows) }));
  const [days, organisations, architectures, repositories] = await Promise.all([
    part(readAllUsage({ by: 'day,arch', from, to, limit: '10000' })),
    table('organisations'),
    table('architectures'),
    table('repositories'),
  ]);
  return { from, to, ever, incomplete, days, organisations, architectures, repositories };
}

async function part(answer: Promise<UsageAnswer>): Promise<Part> {
  try {
    return { answer: await answer };
  } catch (error) {
    return { failure: error instanceof Error ? error.message : String(error) };
  }
}
