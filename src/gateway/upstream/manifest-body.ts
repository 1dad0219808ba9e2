import { digestOf, readManifest, type Digest, type Manifest } from '../../oci/index.ts';
import { inSlices } from '../in-slices.ts';
import { UpstreamError } from './failure.ts';

/** A manifest that is what its digest says. */
export interface VerifiedManifest {
  readonly digest: Digest;
  readonly body: Buffer;
  readonly manifest: Manifest;
}

/**
 * Checks a manifest that an upstream sent. `expected` is the digest that was asked for, or that the upstream said with a
 * tag; without either the digest is computed as sha256. A signed schema 1 manifest may be digested with its signatures
 * or without: both are in use. Rejects with `UpstreamError` (`invalid`) when the body is no manifest or another one.
 */
export async function verifiedManifest(
  contentType: string | undefined,
  body: Buffer,
  expected: Digest | null,
): Promise<VerifiedManifest> {
  const read = await inSlices(readManifest(contentType, body));
  if ('problem' in read) throw new UpstreamError('invalid', `sent an unusable manifest: it ${read.problem}`);
  const manifest = read.value;
  const payload = manifest.digested;
  const algorithm = expected?.algorithm ?? 'sha256';
  const computed = digestOf(algorithm, payload);
  const said = expected ?? computed;
  const matches = computed.text === said.text || (payload !== body && digestOf(algorithm, body).text === said.text);
  if (!matches)
    throw new UpstreamError('invalid', `sent a manifest with the digest ${computed.text}, not ${said.text}`);
  return { digest: said, body, manifest };
}
