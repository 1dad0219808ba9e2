declare global {
  interface JSON {
    /** ECMAScript's JSON.parse source text access, which gives the reviver the digits of a number as sent. */
    parse(
      text: string,
      reviver: (this: unknown, key: string, value: unknown, context?: { source?: string }) => unknown,
    ): unknown;
  }
}

/** One row: its day if grouped by day, its dimensions (null: missing), and the sum of its events. */
export interface UsageRow {
  readonly from?: string;
  readonly dimensions: Readonly<Record<string, string | null>>;
  readonly value: bigint;
}

/** The response of `/api/v1/usage/{meter}`. Days are `YYYY-MM-DD` in the ledger's time zone; `to` is exclusive. */
export interface UsageAnswer {
  readonly from: string;
  readonly to: string;
  readonly rows: readonly UsageRow[];
  readonly total: bigint;
  /** Counts are known to be missing. */
  readonly incomplete?: true;
  readonly next?: string;
}

/** A query failed. `message` is for users. */
export class ApiError extends Error {
  /** HTTP status; undefined without a valid response. */
  readonly status: number | undefined;

  constructor(status: number | undefined, message: string) {
    super(message);
    this.status = status;
  }
}

/** Parameters of the usage API. */
export type Query = Readonly<Record<string, string>>;

/** The address of a query for pulls, relative to the page. Accepts incomplete answers, because the page marks them. */
export function usageAddress(query: Query): string {
  return `api/v1/usage/pulls?${new URLSearchParams({ ...query, incomplete: 'allow' }).toString()}`;
}

/** Queries pulls and returns the first page. Rejects with `ApiError`. */
export async function readUsage(query: Query): Promise<UsageAnswer> {
  let response: Response;
  try {
    // The page's full address may contain a user and password, which fetch rejects.
    const base = location.origin + location.pathname;
    response = await fetch(new URL(usageAddress(query), base), { headers: { accept: 'application/json' } });
  } catch {
    throw new ApiError(undefined, 'the server does not respond.');
  }
  const text = await response.text().catch(() => '');
  if (!response.ok) throw new ApiError(response.status, failureOf(response.status, text));
  return parseUsage(text);
}

/** Queries pulls and returns all pages. Rejects with `ApiError`. */
export async function readAllUsage(query: Query): Promise<UsageAnswer> {
  const first = await readUsage(query);
  const rows = [...first.rows];
  let { next } = first;
  while (next !== undefined) {
    const page = await readUsage({ ...query, cursor: next });
    rows.push(...page.rows);
    next = page.next;
  }
  const { from, to, total, incomplete } = first;
  return { from, to, rows, total, ...(incomplete && { incomplete }) };
}

/** Parses a response with exact integers. Throws `ApiError` if it is not a usage response. */
export function parseUsage(text: string): UsageAnswer {
  const answer = parseJson(text);
  if (!isRecord(answer)) throw notUsage();
  const { from, to, rows, total, incomplete, next } = answer;
  if (typeof from !== 'string' || typeof to !== 'string' || typeof total !== 'bigint' || !Array.isArray(rows)) {
    throw notUsage();
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
  if (!isRecord(row) || typeof row['value'] !== 'bigint') throw notUsage();
  const dimensions: Record<string, string | null> = {};
  for (const [name, value] of Object.entries(row)) {
    if (name !== 'from' && (typeof value === 'string' || value === null)) dimensions[name] = value;
  }
  return { dimensions, value: row['value'], ...(typeof row['from'] === 'string' && { from: row['from'] }) };
}

/** Parses JSON whose numbers are integers. In a browser without source text access, they are already rounded. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text, (_key, value, context) =>
      typeof value === 'number' ? BigInt(context?.source ?? Math.round(value)) : value,
    );
  } catch {
    throw notUsage();
  }
}

function notUsage(): ApiError {
  return new ApiError(undefined, 'the response is not usage data. Is another program listening at this address?');
}

/** The message for a failed request: the server's detail (RFC 9457) if there is one. */
function failureOf(status: number, text: string): string {
  if (status === 401) return 'you need the right “query”. Reload the page to log in.';
  try {
    const problem: unknown = JSON.parse(text);
    if (isRecord(problem) && typeof problem['detail'] === 'string') return `${problem['detail']} (${status}).`;
  } catch {
    // A proxy sent this response, so only the status is known.
  }
  return `the server responded with status ${status}.`;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
