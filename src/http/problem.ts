import { errorTable, type ErrorCode } from '../base/index.ts';

/** Media type of error bodies on native routes (RFC 9457). */
export const problemType = 'application/problem+json';

/** An error body on native routes: RFC 9457, with our stable `code` as a member of its own. */
export interface Problem {
  readonly type: 'about:blank';
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: ErrorCode;
}

export function problem(code: ErrorCode, detail: string, status: number = errorTable[code].status): Problem {
  return { type: 'about:blank', title: errorTable[code].title, status, detail, code };
}
