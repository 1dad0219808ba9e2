declare global {
  interface JSON {
    /** As in ECMAScript's JSON.parse source text access, which gives the digits of a number as they were sent. */
    parse(
      text: string,
      reviver: (this: unknown, key: string, value: unknown, context?: { source?: string }) => unknown,
    ): unknown;
  }
}

/** One row of an answer: its day, where the question was by day, its dimensions (null: the event had none) and their sum. */
export interface UsageRow {
  readonly from?: string;
  readonly dimensions: Readonly<Record<string, string | null>>;
  readonly value: bigint;
}

/** What `/api/v1/usage/{meter}` answers. Days are `YYYY-MM-DD` in the ledger's zone; `to` is the first that is not in. */
export interface UsageAnswer {
  readonly from: string;
  readonly to: string;
  readonly rows: readonly UsageRow[];
  readonly total: bigint;
  /** Counts are missing, and the server knows it. */
  readonly incomplete?: true;
  readonly next?: string;
}

/** A question that was not answered. `message` is for people. */
export class ApiError extends Error {
  /** HTTP status; undefined when there was no answer at all. */
  readonly status: number | undefined;

  constructor(status: number | undefined, message: string) {
    super(message);
    this.status = status;
  }
}

/** Parameters of the usage API by their names there. */
export type Question = Readonly<Record<string, string>>;

/** Address of a question about pulls, relative to the page, which says where an answer is incomplete. */
export function usageAddress(question: Question): string {
  return `api/v1/usage/pulls?${new URLSearchParams({ ...question, incomplete: 'allow' }).toString()}`;
}

/** Asks for pulls; of an answer of several pages, the first. Rejects with `ApiError`. */
export async function readUsage(question: Question): Promise<UsageAnswer> {
  let response: Response;
  try {
    // Not the page's own address as the base: it may hold a user and password, with which fetch refuses to work.
    const base = location.origin + location.pathname;
    response = await fetch(new URL(usageAddress(question), base), { headers: { accept: 'application/json' } });
  } catch {
    throw new ApiError(undefined, 'the server does not answer.');
  }
  const text = await response.text().catch(() => '');
  if (!response.ok) throw new ApiError(response.status, refusal(response.status, text));
  return parseUsage(text);
}

/** Asks for pulls and follows the pages until the last one. */
export async function readAllUsage(question: Question): Promise<UsageAnswer> {
  const first = await readUsage(question);
  const rows = [...first.rows];
  let { next } = first;
  while (next !== undefined) {
    const page = await readUsage({ ...question, cursor: next });
    rows.push(...page.rows);
    next = page.next;
  }
  const { from, to, total, incomplete } = first;
  return { from, to, rows, total, ...(incomplete && { incomplete }) };
}

/** Reads an answer with its integers in full. Throws `ApiError` on anything else. */
export function parseUsage(text: string): UsageAnswer {
  const answer = parseJson(text);
  if (!isRecord(answer)) throw strange();
  const { from, to, rows, total, incomplete, next } = answer;
  if (typeof from !== 'string' || typeof to !== 'string' || typeof total !== 'bigint' || !Array.isArray(rows)) {
    throw strange();
  }
  return {
    from,
    to,
    total,
    rows: rows.map(parseRow),
    ...(incomplete === true && { incomplete }),
    ...(typeof next === 'string' && { next }),
  };
}

function parseRow(row: unknown): UsageRow {
  if (!isRecord(row) || typeof row['value'] !== 'bigint') throw strange();
  const dimensions: Record<string, string | null> = {};
  for (const [name, value] of Object.entries(row)) {
    if (name !== 'from' && (typeof value === 'string' || value === null)) dimensions[name] = value;
  }
  return { dimensions, value: row['value'], ...(typeof row['from'] === 'string' && { from: row['from'] }) };
}

/** Every number here is an integer. A browser that does not say how it was written has rounded it already. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text, (_key, value, context) =>
      typeof value === 'number' ? BigInt(context?.source ?? Math.round(value)) : value,
    );
  } catch {
    throw strange();
  }
}

function strange(): ApiError {
  return new ApiError(undefined, 'the answer is no usage. Is something else listening at this address?');
}

/** What to tell people about a refusal: the server's own words, where it has some (RFC 9457). */
function refusal(status: number, text: string): string {
  if (status === 401) return 'only users with the right “query” see them. Reload the page to log in.';
  try {
    const problem: unknown = JSON.parse(text);
    if (isRecord(problem) && typeof problem['detail'] === 'string') return `${problem['detail']} (${status}).`;
  } catch {
    // Not from this server but from something before it: the status is all there is.
  }
  return `the server answered with status ${status}.`;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
