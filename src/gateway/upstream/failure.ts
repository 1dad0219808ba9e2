import { limits, TonnageError } from '../../base/index.ts';
import { asString, objectsOf, parseJsonObject } from '../../oci/index.ts';
import { discard, headerOf, readBody, type CredentialUse, type UpstreamAnswer } from './send.ts';

/**
 * Kinds of upstream failures:
 * - `unreachable`: no response (connect, DNS, TLS, timeout, connection lost)
 * - `failing`: 5xx
 * - `throttled`: 429
 * - `refused`: 401 or 403, from the upstream or its token endpoint
 * - `missing`: 404
 * - `invalid`: an unusable response
 */
export type FailureKind = 'unreachable' | 'failing' | 'throttled' | 'refused' | 'missing' | 'invalid';

interface FailureDetails {
  readonly cause?: unknown;
  /** The status of the upstream or its token endpoint. */
  readonly answered?: number;
  /** Time until the next request, from `Retry-After`. */
  readonly retryAfterMs?: number;
  /** Whether the repository itself does not exist. */
  readonly nameUnknown?: boolean;
  /** Whether the connection failed before a response, so that an immediate retry may succeed. */
  readonly retryable?: boolean;
  /** How the failed request used the credentials. Default: `none`. */
  readonly credentials?: CredentialUse;
}

/** A failure of an upstream. Clients see `message`, which contains no addresses. `cause` has the details. */
export class UpstreamError extends TonnageError {
  readonly kind: FailureKind;
  readonly answered: number | undefined;
  readonly retryAfterMs: number | undefined;
  readonly nameUnknown: boolean;
  readonly retryable: boolean;
  readonly credentials: CredentialUse;

  constructor(kind: FailureKind, message: string, details: FailureDetails = {}) {
    super('upstream_failed', message, { cause: details.cause });
    this.name = 'UpstreamError';
    this.kind = kind;
    this.answered = details.answered;
    this.retryAfterMs = details.retryAfterMs;
    this.nameUnknown = details.nameUnknown ?? false;
    this.retryable = details.retryable ?? false;
    this.credentials = details.credentials ?? 'none';
  }
}

/**
 * Parses `Retry-After` (RFC 9110, section 10.2.3): seconds, or a date, which is compared with `nowMs`. Returns
 * milliseconds, at most `limits.upstreamRetryAfterMsMax`; undefined if the header is missing or invalid.
 */
export function retryAfterMsOf(answer: Pick<UpstreamAnswer, 'headers'>, nowMs: number): number | undefined {
  const text = headerOf(answer, 'retry-after')?.trim();
  if (text === undefined || text === '') return undefined;
  const wait = /^\d+$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - nowMs;
  return Number.isNaN(wait) ? undefined : Math.min(Math.max(wait, 0), limits.upstreamRetryAfterMsMax);
}

async function errorCodes(answer: UpstreamAnswer): Promise<ReadonlySet<string>> {
  try {
    const body = await readBody(answer, limits.upstreamErrorBytesMax);
    const errors = objectsOf(body === null ? undefined : parseJsonObject(body)?.errors);
    return new Set(errors.flatMap((error) => asString(error.code) ?? []));
  } catch {
    return new Set();
  }
}

/** Converts an error response to an `UpstreamError`, and consumes its body. */
export async function failureOf(answer: UpstreamAnswer, nowMs: number): Promise<UpstreamError> {
  const { status, credentials = 'none' } = answer;
  const message = `answered ${status}`;
  if (status === 401 || status === 403 || status === 404) {
    const nameUnknown = (await errorCodes(answer)).has('NAME_UNKNOWN');
    return new UpstreamError(status === 404 || nameUnknown ? 'missing' : 'refused', message, {
      answered: status,
      nameUnknown,
      credentials,
    });
  }
  await discard(answer);
  const retryAfterMs = retryAfterMsOf(answer, nowMs);
  const details = retryAfterMs === undefined ? { answered: status } : { answered: status, retryAfterMs };
  if (status === 429) return new UpstreamError('throttled', message, details);
  return new UpstreamError(status >= 500 ? 'failing' : 'invalid', message, details);
}

/** The error for a blob of unknown size that exceeds the limit: without one, an endless blob would fill the disk. */
export function endlessBlob(bytesMax: number): UpstreamError {
  return new UpstreamError('invalid', `sent more than ${bytesMax} bytes of a blob whose size it does not state`);
}
