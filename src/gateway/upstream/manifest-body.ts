import { digestedBytes, digestOf, parseManifest, type Digest, type Manifest } from '../../oci/index.ts';
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
 * or without: both are in use. Throws `UpstreamError` (`invalid`) when the body is no manifest or another one.
 */
export function verifiedManifest(
  contentType: string | undefined,
  body: Buffer,
  expected: Digest | null,
): VerifiedManifest {
  const manifest = parseManifest(contentType, body);
  if (manifest === null) throw new UpstreamError('invalid', 'sent what is no manifest');
  const payload = digestedBytes(manifest.mediaType, body);
  const algorithm = expected?.algorithm ?? 'sha256';
  const computed = digestOf(algorithm, payload);
  const said = expected ?? computed;
  const matches = computed.text === said.text || (payload !== body && digestOf(algorithm, body).text === said.text);
  if (!matches)
    throw new UpstreamError('invalid', `sent a manifest with the digest ${computed.text}, not ${said.text}`);
  return { digest: said, body, manifest };
}
