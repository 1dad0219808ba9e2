/**
 * Errors of a `/v2` request: the code in the body and the HTTP status. The codes are those of the distribution spec
 * ("Error Codes") where one fits. `RANGE_INVALID`, `UNAVAILABLE` and `UNKNOWN` are not in its table, but the reference
 * implementation sends them, so clients know them.
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
  /** The `Host` header names neither this machine nor the public URL. */
  misdirected: { code: 'DENIED', status: 421 },
  /** The upstream rejected the gateway's own credentials. The client cannot fix that, so this is not a 401 or 403. */
  upstreamDenied: { code: 'DENIED', status: 502 },
  upstreamThrottled: { code: 'TOOMANYREQUESTS', status: 429 },
  upstreamUnavailable: { code: 'UNAVAILABLE', status: 502 },
  /** The upstream's response is unusable: wrong digest, not a manifest, or too large. */
  upstreamInvalid: { code: 'UNKNOWN', status: 502 },
  /** The identity provider is unavailable, so the client's credentials can be neither accepted nor rejected. */
  identityUnavailable: { code: 'UNAVAILABLE', status: 503 },
  internal: { code: 'UNKNOWN', status: 500 },
} as const satisfies Record<string, { readonly code: string; readonly status: number }>;

export type OciErrorKind = keyof typeof ociErrors;

/** An error response to a `/v2` request. `message` is for people and never contains a URL or a secret. */
export class OciError extends Error {
  readonly kind: OciErrorKind;
  /** Additional response headers, such as `Allow` or `Retry-After`. */
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

  /** The JSON body that the distribution spec requires: `{"errors":[{"code","message"}]}`. */
  body(): string {
    return JSON.stringify({ errors: [{ code: ociErrors[this.kind].code, message: this.message }] });
  }
}
