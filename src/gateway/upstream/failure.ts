import { limits, TonnageError } from '../../base/index.ts';
import { asString, objectsOf, parseJsonObject } from '../../oci/index.ts';
import { discard, headerOf, readBody, type CredentialUse, type UpstreamAnswer } from './send.ts';

/**
 * How an upstream can fail us:
 * `unreachable` no answer (connect, DNS, TLS, timeout, a connection that broke); `failing` 5xx; `throttled` 429;
 * `refused` 401 or 403, its token endpoint's included; `missing` 404; `invalid` an answer that is not what was asked for.
 */
export type FailureKind = 'unreachable' | 'failing' | 'throttled' | 'refused' | 'missing' | 'invalid';

interface FailureDetails {
  readonly cause?: unknown;
  /** The status that the upstream, or its token endpoint, answered with. */
  readonly answered?: number;
  /** How long the upstream wants to be left alone. */
  readonly retryAfterMs?: number;
  /** The upstream said that the repository itself does not exist. */
  readonly nameUnknown?: boolean;
  /** The connection failed before an answer, so that the same request may well get through at once. */
  readonly retryable?: boolean;
  /** What the failed request did with our credentials. Default: none. */
  readonly credentials?: CredentialUse;
}

/** An upstream failed us. `message` says how, without addresses: clients get to see it. `cause` has the details. */
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
 * Reads `Retry-After` (RFC 9110, section 10.2.3): seconds, or a date that is compared with `nowMs`. Answers milliseconds,
 * at most `limits.upstreamRetryAfterMsMax`; undefined when there is none that can be read.
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

/** Turns an answer that is no success into the failure that it means, and is done with its body. */
export async function failureOf(answer: UpstreamAnswer, nowMs: number): Promise<UpstreamError> {
  const { status, credentials = 'none' } = answer;
  const said = `answered ${status}`;
  if (status === 401 || status === 403 || status === 404) {
    const nameUnknown = (await errorCodes(answer)).has('NAME_UNKNOWN');
    return new UpstreamError(status === 404 || nameUnknown ? 'missing' : 'refused', said, {
      answered: status,
      nameUnknown,
      credentials,
    });
  }
  await discard(answer);
  const retryAfterMs = retryAfterMsOf(answer, nowMs);
  const details = retryAfterMs === undefined ? { answered: status } : { answered: status, retryAfterMs };
  if (status === 429) return new UpstreamError('throttled', said, details);
  return new UpstreamError(status >= 500 ? 'failing' : 'invalid', said, details);
}

/** An endless blob of unknown size is refused, because it would fill the disk. */
export function endlessBlob(bytesMax: number): UpstreamError {
  return new UpstreamError('invalid', `sent more than ${bytesMax} bytes of a blob whose size it does not state`);
}
