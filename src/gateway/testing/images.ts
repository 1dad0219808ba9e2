import { digestOf, type Digest } from '../../oci/index.ts';

/** Content of an upstream: bytes and their media type. */
export interface Content {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly body: Buffer;
}

export interface TestImage extends Content {
  /** The config and the layers. */
  readonly blobs: readonly Content[];
}

export const types = {
  ociImage: 'application/vnd.oci.image.manifest.v1+json',
  ociIndex: 'application/vnd.oci.image.index.v1+json',
  ociConfig: 'application/vnd.oci.image.config.v1+json',
  dockerImage: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerList: 'application/vnd.docker.distribution.manifest.list.v2+json',
  dockerConfig: 'application/vnd.docker.container.image.v1+json',
  schema1: 'application/vnd.docker.distribution.manifest.v1+json',
  signedSchema1: 'application/vnd.docker.distribution.manifest.v1+prettyjws',
} as const;

export function content(mediaType: string, value: unknown): Content {
  const body = Buffer.isBuffer(value) ? value : Buffer.from(JSON.stringify(value), 'utf8');
  return { digest: digestOf('sha256', body), mediaType, body };
}

/** Deterministic pseudo-random bytes that depend on the seed. */
export function bytesOf(length: number, seed: number): Buffer {
  const bytes = Buffer.alloc(length);
  let state = ((seed * 2_654_435_761) % 4_294_967_296) | 1;
  for (let index = 0; index < length; index++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    bytes[index] = state >>> 24;
  }
  return bytes;
}

export function descriptor(of: Content, more: object = {}): object {
  return { mediaType: of.mediaType, digest: of.digest.text, size: of.body.byteLength, ...more };
}

/** An image with a config and layers. `name` makes its digest unique. */
export function image(options: {
  readonly name?: string;
  readonly mediaType?: string;
  /** Media type of the config; undefined: the manifest does not state it. Absent: the type that matches `mediaType`. */
  readonly configType?: string | undefined;
  /** The config. Default: one with the architecture and the entrypoint. */
  readonly config?: object;
  readonly architecture?: string;
  readonly entrypoint?: readonly string[];
  readonly layers?: readonly Buffer[];
}): TestImage {
  const {
    name = 'image',
    mediaType = types.ociImage,
    architecture = 'amd64',
    layers = [Buffer.from(`${name} layer`)],
  } = options;
  const usual = mediaType === types.dockerImage ? types.dockerConfig : types.ociConfig;
  const configType = 'configType' in options ? options.configType : usual;
  const said = options.config ?? { name, architecture, os: 'linux', config: { Entrypoint: options.entrypoint } };
  const config = content(configType ?? '', said);
  const layerContents = layers.map((layer) => content('application/vnd.oci.image.layer.v1.tar+gzip', layer));
  const manifest = {
    schemaVersion: 2,
    mediaType,
    config: descriptor(config, { mediaType: configType }),
    layers: layerContents.map((layer) => descriptor(layer)),
  };
  return { ...content(mediaType, manifest), blobs: [config, ...layerContents] };
}

/** An index of images with their stated architectures. */
export function index(entries: readonly (readonly [TestImage, string])[], mediaType: string = types.ociIndex): Content {
  const manifests = entries.map(([entry, architecture]) =>
    descriptor(entry, { platform: { os: 'linux', architecture } }),
  );
  return content(mediaType, { schemaVersion: 2, mediaType, manifests });
}

/** An unsigned schema 1 image. */
export function schema1(architecture: string, mediaType: string = types.schema1): TestImage {
  const layer = content('', Buffer.from(`schema 1 layer of ${architecture}`));
  const manifest = {
    schemaVersion: 1,
    name: 'old/image',
    architecture,
    fsLayers: [{ blobSum: layer.digest.text }],
    history: [{ v1Compatibility: JSON.stringify({ architecture }) }],
  };
  return { ...content(mediaType, manifest), blobs: [layer] };
}
