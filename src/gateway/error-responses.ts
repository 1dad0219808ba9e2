import { unreachable } from '../base/index.ts';
import { OciError, type OciErrorKind } from '../oci/index.ts';
import type { ContentKind } from './outcome.ts';
import type { Upstream } from './upstreams.ts';
import type { UpstreamError } from './upstream/failure.ts';

/** What a 404 of the upstream means, by what it was asked for. */
const unknownKinds: Readonly<Record<ContentKind, OciErrorKind>> = {
  manifest: 'manifestUnknown',
  blob: 'blobUnknown',
  tags: 'nameUnknown',
};

function missing(upstream: Upstream, error: UpstreamError, asked: ContentKind): OciError {
  if (error.nameUnknown) return new OciError('nameUnknown', `upstream ${upstream.name} does not know this repository`);
  const what = asked === 'tags' ? 'repository' : asked;
  return new OciError(unknownKinds[asked], `upstream ${upstream.name} does not have this ${what}`);
}

/** Refused credentials are the operator's matter; refused anonymous access may as well be a name that is not there. */
function refused({ name }: Upstream, { message, credentials }: UpstreamError): OciError {
  if (credentials === 'sent')
    return new OciError('upstreamDenied', `upstream ${name} refused our credentials (${message})`);
  const why =
    credentials === 'withheld'
      ? `its token endpoint is on another domain and did not get our credentials; the key auth.realm allows that`
      : 'the repository does not exist there, or needs credentials that this gateway does not have';
  return new OciError('upstreamDenied', `upstream ${name} refused anonymous access (${message}): ${why}`);
}

function waiting(error: UpstreamError): Readonly<Record<string, string>> {
  return error.retryAfterMs === undefined ? {} : { 'Retry-After': String(Math.ceil(error.retryAfterMs / 1_000)) };
}

/** What a client is told when the upstream failed and nothing cached can be served instead. */
export function errorFor(upstream: Upstream, error: UpstreamError, asked: ContentKind): OciError {
  const said = `upstream ${upstream.name} ${error.message}`;
  switch (error.kind) {
    case 'missing':
      return missing(upstream, error, asked);
    case 'refused':
      return refused(upstream, error);
    case 'throttled':
      return new OciError('upstreamThrottled', said, waiting(error));
    case 'failing':
      return new OciError('upstreamUnavailable', said, waiting(error));
    case 'unreachable':
      return new OciError('upstreamUnavailable', said);
    case 'invalid':
      return new OciError('upstreamInvalid', said);
    default:
      return unreachable(error.kind);
  }
}
