import { unreachable } from '../base/index.ts';
import { OciError, type OciErrorKind } from '../oci/index.ts';
import type { ContentKind } from './outcome.ts';
import type { Upstream } from './upstreams.ts';
import type { UpstreamError } from './upstream/failure.ts';

/** The error for a 404 of the upstream, by kind of content. */
const unknownKinds: Readonly<Record<ContentKind, OciErrorKind>> = {
  manifest: 'manifestUnknown',
  blob: 'blobUnknown',
  tags: 'nameUnknown',
};

function missing(upstream: Upstream, error: UpstreamError, kind: ContentKind): OciError {
  if (error.nameUnknown) return new OciError('nameUnknown', `upstream ${upstream.name} does not know this repository`);
  const what = kind === 'tags' ? 'repository' : kind;
  return new OciError(unknownKinds[kind], `upstream ${upstream.name} does not have this ${what}`);
}

/** The operator must fix rejected credentials. Rejected anonymous access may also mean an unknown repository. */
function refused({ name }: Upstream, { message, credentials }: UpstreamError): OciError {
  if (credentials === 'sent')
    return new OciError('upstreamDenied', `upstream ${name} rejected the gateway's credentials (${message})`);
  const why =
    credentials === 'withheld'
      ? 'its token endpoint is on another domain and did not get the credentials; the key auth.realm permits that'
      : 'the repository does not exist there, or needs credentials that this gateway does not have';
  return new OciError('upstreamDenied', `upstream ${name} rejected anonymous access (${message}): ${why}`);
}

function retryAfter(error: UpstreamError): Readonly<Record<string, string>> {
  return error.retryAfterMs === undefined ? {} : { 'Retry-After': String(Math.ceil(error.retryAfterMs / 1_000)) };
}

/** Returns the error for the client when the upstream failed and nothing is cached. */
export function errorFor(upstream: Upstream, error: UpstreamError, kind: ContentKind): OciError {
  const message = `upstream ${upstream.name} ${error.message}`;
  switch (error.kind) {
    case 'missing':
      return missing(upstream, error, kind);
    case 'refused':
      return refused(upstream, error);
    case 'throttled':
      return new OciError('upstreamThrottled', message, retryAfter(error));
    case 'failing':
    case 'unreachable':
      return new OciError('upstreamUnavailable', message, retryAfter(error));
    case 'invalid':
      return new OciError('upstreamInvalid', message);
    default:
      return unreachable(error.kind);
  }
}
