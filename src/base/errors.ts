/** The HTTP status of an error code, and a title that is the same for every error with the code. */
interface ErrorRow {
  readonly status: number;
  readonly title: string;
}

/**
 * The one table of operating errors. Codes are part of the interface: never renamed, never given another meaning.
 * `docs/reference/errors.md` lists each; a test compares the two. Errors of `/v2` routes have the OCI codes instead (`oci/`).
 */
export const errorTable = {
  bad_request: { status: 400, title: 'The request is not valid' },
  unauthorized: { status: 401, title: 'Credentials are missing or wrong' },
  forbidden: { status: 403, title: 'The credentials do not have the required right' },
  not_found: { status: 404, title: 'Not found' },
  method_not_allowed: { status: 405, title: 'The method is not allowed here' },
  request_too_slow: { status: 408, title: 'The body of the request arrived too slowly' },
  request_too_large: { status: 413, title: 'The request is larger than allowed' },
  unsupported_media_type: { status: 415, title: 'Unsupported content type or coding' },
  login_limited: { status: 429, title: 'Too many failed logins; wait before the next one' },
  internal_error: { status: 500, title: 'An internal error' },
  unavailable: { status: 503, title: 'Temporarily unavailable' },
  query_deadline: { status: 503, title: 'The query took longer than allowed' },
  config_invalid: { status: 500, title: 'The configuration is not valid' },
  data_locked: { status: 500, title: 'The data directory is in use by another process' },
  data_version: { status: 500, title: 'The data was written by a newer version' },
  data_invalid: { status: 500, title: 'The data directory contains something unexpected' },
  time_zone_changed: { status: 500, title: 'The ledger counts its days in another time zone' },
  address_in_use: { status: 500, title: 'The address is in use or not available' },
  ledger_gap: { status: 503, title: 'Counts are missing, so totals are incomplete' },
  ledger_unavailable: { status: 503, title: 'The ledger cannot commit right now; send the request again' },
  ledger_full: { status: 503, title: 'The ledger has no room left' },
  ledger_unsaved: { status: 500, title: 'Counted events could not be saved' },
  sqlite_failed: { status: 503, title: 'The database refused the statement' },
  sqlite_guard: { status: 500, title: 'The database is not in the state that the transaction expects' },
  upstream_failed: { status: 502, title: 'The upstream could not be reached' },
  exposition_invalid: { status: 400, title: 'The text is not a valid exposition of metrics' },
  metric_invalid: { status: 500, title: 'A metric family is not valid' },
  source_failed: { status: 502, title: 'A source could not be read' },
  redis_unavailable: { status: 503, title: 'Redis is unreachable or busy' },
  query_too_large: { status: 400, title: 'The query has more rows than can be sorted' },
  redis_refused: { status: 503, title: 'Redis refused the command' },
  store_evicts: { status: 503, title: 'The store could evict counts when its memory is full' },
  store_invalid: { status: 503, title: 'The store contains something unexpected' },
  store_rebuilding: { status: 503, title: 'A rebuild of the store has not finished' },
  identity_unavailable: { status: 503, title: 'The identity provider is unavailable' },
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof errorTable;

/** An operating error: expected to happen and handled by code. `message` says what was expected and what came. */
export class TonnageError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = 'TonnageError';
    this.code = code;
  }

  /** The HTTP status that this error answers with. */
  get status(): number {
    return errorTable[this.code].status;
  }
}

/** The message of any thrown value, for a log line or another error. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** The code that the system or a library has given an error, such as `ENOENT`; `undefined` if it has none. */
export function codeOf(thrown: unknown): string | undefined {
  return thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : undefined;
}
