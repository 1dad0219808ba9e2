/**
 * Why a `/v2` request is refused: the code in the body and the HTTP status. Codes are those of the distribution spec
 * (Error Codes) where one fits. `RANGE_INVALID`, `UNAVAILABLE` and `UNKNOWN` are not in its table, but what the
 * reference implementation of the API answers, and what clients therefore show.
 */
export const ociErrors = {
  nameInvalid: { code: 'NAME_INVALID', status: 400 },
  nameUnknown: { code: 'NAME_UNKNOWN', status: 404 },
  referenceInvalid: { code: 'MANIFEST_INVALID', status: 400 },
  digestInvalid: { code: 'DIGEST_INVALID', status: 400 },
  requestInvalid: { code: 'UNSUPPORTED', status: 400 },
  manifestUnknown: { code: 'MANIFEST_UNKNOWN', status: 404 },
  blobUnknown: { code: 'BLOB_UNKNOWN', status: 404 },
  routeUnknown: { code: 'UNSUPPORTED', status: 404 },
  methodUnsupported: { code: 'UNSUPPORTED', status: 405 },
  rangeUnsatisfiable: { code: 'RANGE_INVALID', status: 416 },
  unauthorized: { code: 'UNAUTHORIZED', status: 401 },
  denied: { code: 'DENIED', status: 403 },
  /** The `Host` names neither this machine nor the public URL, where only those are answered. */
  misdirected: { code: 'DENIED', status: 421 },
  /** The upstream refused the gateway's own credentials: the client can do nothing about it, so it is no 401 or 403. */
  upstreamDenied: { code: 'DENIED', status: 502 },
  upstreamThrottled: { code: 'TOOMANYREQUESTS', status: 429 },
  upstreamUnavailable: { code: 'UNAVAILABLE', status: 502 },
  /** The upstream answered, but not with what was asked for (another digest, no manifest, too large). */
  upstreamInvalid: { code: 'UNKNOWN', status: 502 },
  /** Who asks cannot be found out right now; it is neither refused nor anonymous. */
  identityUnavailable: { code: 'UNAVAILABLE', status: 503 },
  internal: { code: 'UNKNOWN', status: 500 },
} as const satisfies Record<string, { readonly code: string; readonly status: number }>;

export type OciErrorKind = keyof typeof ociErrors;

/** A refusal of a `/v2` request. `message` is for people and never holds a URL or a secret. */
export class OciError extends Error {
  readonly kind: OciErrorKind;
  /** Further response headers that belong to this refusal (`Allow`, `Retry-After`...). */
  readonly headers: Readonly<Record<string, string>>;

  constructor(kind: OciErrorKind, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.name = 'OciError';
    this.kind = kind;
    this.headers = headers;
  }

  get status(): number {
    return ociErrors[this.kind].status;
  }

  /** The JSON body that the distribution spec prescribes: `{"errors":[{"code","message"}]}`. */
  body(): string {
    return JSON.stringify({ errors: [{ code: ociErrors[this.kind].code, message: this.message }] });
  }
}
