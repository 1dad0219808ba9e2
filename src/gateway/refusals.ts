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
function refused(upstream: Upstream, error: UpstreamError): OciError {
  const why = upstream.authenticated
    ? `upstream ${upstream.name} refused our credentials (${error.message})`
    : `upstream ${upstream.name} refused anonymous access (${error.message}): the repository does not exist there, or needs credentials that this gateway does not have`;
  return new OciError('upstreamDenied', why);
}

function waiting(error: UpstreamError): Readonly<Record<string, string>> {
  return error.retryAfterMs === undefined ? {} : { 'Retry-After': String(Math.ceil(error.retryAfterMs / 1_000)) };
}

/** What a client is told when the upstream failed and nothing cached can be served instead. */
export function refusalOf(upstream: Upstream, error: UpstreamError, asked: ContentKind): OciError {
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
