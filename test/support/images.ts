import { createHash, randomBytes } from 'node:crypto';

export const mediaTypes = {
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  index: 'application/vnd.oci.image.index.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar',
} as const;

export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

export interface PushedImage extends Descriptor {
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
}

export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** Bytes of a layer: random, so that nothing can deduplicate or compress them. */
export function layer(size: number): Buffer {
  return randomBytes(size);
}

/** Pushes one image (config, layers, manifest) to `repository` of an upstream, under `tag` unless it is empty. */
export async function pushImage(
  upstream: string,
  repository: string,
  tag: string,
  image: {
    readonly architecture: string;
    readonly layers: readonly Uint8Array[];
    readonly entrypoint?: readonly string[];
  },
): Promise<PushedImage> {
  const config = Buffer.from(
    JSON.stringify({
      architecture: image.architecture,
      os: 'linux',
      config: image.entrypoint ? { Entrypoint: image.entrypoint } : {},
      rootfs: { type: 'layers', diff_ids: image.layers.map(digestOf) },
    }),
  );
  const manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: await pushBlob(upstream, repository, config, mediaTypes.config),
    layers: await Promise.all(image.layers.map((bytes) => pushBlob(upstream, repository, bytes, mediaTypes.layer))),
  };
  const descriptor = await pushManifest(upstream, repository, tag, manifest);
  return { ...descriptor, config: manifest.config, layers: manifest.layers };
}

/** Pushes an index of images that exist already. */
export function pushIndex(
  upstream: string,
  repository: string,
  tag: string,
  images: readonly { readonly image: Descriptor; readonly architecture: string }[],
): Promise<Descriptor> {
  const manifests = images.map(({ image: { mediaType, digest, size }, architecture }) => ({
    mediaType,
    digest,
    size,
    platform: { architecture, os: 'linux' },
  }));
  return pushManifest(upstream, repository, tag, { schemaVersion: 2, mediaType: mediaTypes.index, manifests });
}

async function pushManifest(
  upstream: string,
  repository: string,
  tag: string,
  manifest: { readonly mediaType: string; readonly [member: string]: unknown },
): Promise<Descriptor> {
  const body = Buffer.from(JSON.stringify(manifest));
  const reference = tag === '' ? digestOf(body) : tag;
  const response = await fetch(`${upstream}/v2/${repository}/manifests/${reference}`, {
    method: 'PUT',
    body,
    headers: { 'content-type': manifest.mediaType },
  });
  if (response.status !== 201) throw new Error(`push of ${reference}: ${response.status} ${await response.text()}`);
  return { mediaType: manifest.mediaType, digest: digestOf(body), size: body.length };
}

async function pushBlob(
  upstream: string,
  repository: string,
  bytes: Uint8Array,
  mediaType: string,
): Promise<Descriptor> {
  const digest = digestOf(bytes);
  const begun = await fetch(`${upstream}/v2/${repository}/blobs/uploads/`, { method: 'POST' });
  const location = new URL(begun.headers.get('location') ?? '', upstream);
  location.searchParams.set('digest', digest);
  const response = await fetch(location, {
    method: 'PUT',
    body: Uint8Array.from(bytes),
    headers: { 'content-type': 'application/octet-stream' },
  });
  if (response.status !== 201) throw new Error(`push of a blob: ${response.status} ${await response.text()}`);
  return { mediaType, digest, size: bytes.length };
}
