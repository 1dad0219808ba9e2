import { readAllUsage, readUsage, type UsageAnswer } from './api.ts';
import { addDays } from './days.ts';

/** Days that the page shows, today included. */
export const shownDays = 30;

/** Rows of a table, at most; the rest is summed up in one. */
const tableRows = 20;

/** A part of the page: what was asked, and the answer or why there is none. */
export type Part = { readonly answer: UsageAnswer } | { readonly failure: string };

/** Everything that the page shows. */
export interface Overview {
  readonly from: string;
  readonly to: string;
  /** Since the first day with data. */
  readonly ever: bigint;
  /** Counts are missing, and the server knows it. */
  readonly incomplete: boolean;
  readonly days: Part;
  readonly organisations: Part;
  readonly architectures: Part;
  readonly repositories: Part;
}

/** The dimensions that each table tells apart. */
export const tableDimensions = {
  organisations: ['org'],
  architectures: ['arch'],
  repositories: ['upstream', 'repository'],
} as const;

/** The question behind a table, without its paging. */
export function tableQuestion(table: keyof typeof tableDimensions, from: string, to: string): Record<string, string> {
  return { by: tableDimensions[table].join(','), from, to };
}

/**
 * Asks for everything at once. Rejects with `ApiError` when the first question is not answered; a later one that is not
 * costs its own part of the page only, as where a dimension is not kept.
 */
export async function readOverview(): Promise<Overview> {
  // The server says what day it is: days end at midnight in the ledger's zone, not in the browser's.
  const { to, total: ever, incomplete = false } = await readUsage({});
  const from = addDays(to, -shownDays);
  const table = (name: keyof typeof tableDimensions): Promise<Part> =>
    part(readUsage({ ...tableQuestion(name, from, to), limit: String(tableRows) }));
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
