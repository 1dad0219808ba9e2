import { errorTable, type ErrorCode } from '../base/index.ts';

/** Media type of problems (RFC 9457). */
export const problemType = 'application/problem+json';

/** The error body of native routes: RFC 9457 with the stable `code` as an extension member. */
interface Problem {
  readonly type: 'about:blank';
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: ErrorCode;
}

export function problem(code: ErrorCode, detail: string, status: number = errorTable[code].status): Problem {
  return { type: 'about:blank', title: errorTable[code].title, status, detail, code };
}
