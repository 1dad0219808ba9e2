import { digestOf, readManifest, type Digest, type Manifest } from '../../oci/index.ts';
import { inSlices } from '../in-slices.ts';
import { UpstreamError } from './failure.ts';

/** A manifest whose digest has been verified. */
export interface VerifiedManifest {
  readonly digest: Digest;
  readonly body: Buffer;
  readonly manifest: Manifest;
}

/**
 * Parses and verifies a manifest from an upstream. `expected` is the requested digest, or the one that the upstream stated
 * for a tag; without either, the digest is computed with sha256. The digest of a signed schema 1 manifest may include the
 * signatures or not: both are in use. Rejects with `UpstreamError` (`invalid`) if the body is not this manifest.
 */
export async function verifiedManifest(
  contentType: string | undefined,
  body: Buffer,
  expected: Digest | null,
): Promise<VerifiedManifest> {
  const parsed = await inSlices(readManifest(contentType, body));
  if ('problem' in parsed) throw new UpstreamError('invalid', `sent an unusable manifest: it ${parsed.problem}`);
  const manifest = parsed.value;
  const payload = manifest.digested;
  const algorithm = expected?.algorithm ?? 'sha256';
  const computed = digestOf(algorithm, payload);
  const digest = expected ?? computed;
  const matches = computed.text === digest.text || (payload !== body && digestOf(algorithm, body).text === digest.text);
  if (!matches)
    throw new UpstreamError('invalid', `sent a manifest with the digest ${computed.text}, not ${digest.text}`);
  return { digest, body, manifest };
}
