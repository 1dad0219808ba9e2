import { Buffer } from 'node:buffer';

import { describe, expect, it, test } from 'vitest';

import { architectureOf } from './architecture.ts';
import { digestOf } from './digest.ts';
import { readImageConfig, type ImageFacts } from './image-config.ts';
import { atOnce } from './json-reader.ts';
import { namedBy, readManifest, type Manifest } from './manifest.ts';

const ociManifest = 'application/vnd.oci.image.manifest.v1+json';
const ociIndex = 'application/vnd.oci.image.index.v1+json';
const ociConfig = 'application/vnd.oci.image.config.v1+json';
const schema1 = 'application/vnd.docker.distribution.manifest.v1+json';
const signedSchema1 = 'application/vnd.docker.distribution.manifest.v1+prettyjws';

const digest = (letter: string): string => `sha256:${letter.repeat(64)}`;
const bytes = (value: unknown): Buffer => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
const parseManifest = (type: string | undefined, body: Uint8Array): Manifest | null => {
  const read = atOnce(readManifest(type, body));
  return 'value' in read ? read.value : null;
};
const refusal = (value: unknown): string | undefined => {
  const read = atOnce(readManifest(ociManifest, bytes(value)));
  return 'refused' in read ? read.refused : undefined;
};
const parseImageConfig = (body: Uint8Array, type: string): ImageFacts | null => atOnce(readImageConfig(body, type));
const digestedBytes = (type: string, body: Uint8Array): Uint8Array | undefined => parseManifest(type, body)?.digested;
const namedTexts = (type: string | undefined, value: unknown): readonly string[] => {
  const manifest = parseManifest(type, bytes(value));
  return manifest === null ? [] : namedBy(manifest).map((descriptor) => descriptor.digest.text);
};

describe('an image manifest', () => {
  const manifest = {
    schemaVersion: 2,
    mediaType: ociManifest,
    config: { mediaType: ociConfig, digest: digest('a'), size: 10 },
    layers: [
      { mediaType: 'application/x', digest: digest('b'), size: 20 },
      { mediaType: 'application/x', digest: digest('b'), size: 20 },
      { mediaType: 'application/x', digest: digest('c'), size: -1 },
      { mediaType: 'application/x', digest: 'sha256:short', size: 1 },
      'not a descriptor',
    ],
  };

  it('names its config and each layer once, and leaves out what cannot be read', () => {
    expect(namedTexts(ociManifest, manifest)).toEqual([digest('a'), digest('b'), digest('c')]);
  });

  it('has sizes where they are sizes', () => {
    const layers = parseManifest(ociManifest, bytes(manifest))?.layers;
    expect(layers?.map((layer) => layer.size)).toEqual([20, 20, null]);
  });

  it.each([
    [`${ociManifest}; charset=utf-8`, ociManifest],
    [ociManifest.toUpperCase(), ociManifest],
    [undefined, ociManifest],
    ['', ociManifest],
    ['application/json', ociManifest],
    ['application/octet-stream', ociManifest],
  ])('sent as %s has the media type %s', (sent, expected) => {
    expect(parseManifest(sent, bytes(manifest))).toMatchObject({ mediaType: expected, kind: 'image', image: null });
  });

  it('of an unknown type is known by what it names, and has no kind', () => {
    const unknown = { ...manifest, mediaType: 'application/vnd.example+json' };
    const parsed = parseManifest('application/json', bytes(unknown));
    expect(parsed).toMatchObject({ kind: null, mediaType: 'application/vnd.example+json' });
    expect(namedTexts(undefined, unknown)).toHaveLength(3);
  });

  it('keeps the specific type that its upstream says, unless its own is one of the six', () => {
    expect(parseManifest('application/vnd.example+json', bytes({ ...manifest, mediaType: undefined }))).toMatchObject({
      mediaType: 'application/vnd.example+json',
      kind: null,
    });
    expect(parseManifest('application/vnd.example+json', bytes(manifest))).toMatchObject({ mediaType: ociManifest });
  });
});

describe('a manifest whose type nobody says', () => {
  const config = { digest: digest('a'), size: 1 };
  const image = { config, layers: [{ digest: digest('b'), size: 1 }] };
  const index = { manifests: [{ digest: digest('c'), size: 1 }] };
  const old = { schemaVersion: 1, fsLayers: [{ blobSum: digest('d') }] };
  const generic = [
    'application/json',
    'text/plain; charset=utf-8',
    'application/octet-stream',
    'text/html',
    '',
    undefined,
  ];

  it.each(generic)('(sent as %j) is known by its members', (sent) => {
    const kinds = [image, index, old, { ...old, signatures: [{}] }].map((value) => parseManifest(sent, bytes(value)));
    expect(kinds.map((parsed) => [parsed?.mediaType, parsed?.kind])).toEqual([
      [ociManifest, 'image'],
      [ociIndex, 'index'],
      [schema1, 'schema1'],
      [signedSchema1, 'schema1'],
    ]);
  });

  it.each(generic)('(sent as %j) is known by its members where its own type is generic too', (sent) => {
    expect(parseManifest(sent, bytes({ ...image, mediaType: 'application/json' }))?.mediaType).toBe(ociManifest);
  });

  it.each([
    { ...image, ...index },
    { ...image, ...old },
    { ...index, ...old },
    { config },
    { layers: [] },
    { config: 'x', layers: [] },
    { config, layers: {} },
    { manifests: {} },
    {},
  ])('and whose members are not those of one kind (%#) has none', (value) => {
    expect(parseManifest('application/json', bytes(value))).toMatchObject({
      mediaType: 'application/json',
      kind: null,
    });
    expect(parseManifest(undefined, bytes(value))).toBeNull();
  });
});

describe('an index', () => {
  it('names its manifests with the architecture of their platform', () => {
    const index = {
      manifests: [
        { digest: digest('a'), size: 1, platform: { os: 'linux', architecture: 'AMD64' } },
        { digest: digest('b'), size: 1, platform: { os: 'linux', architecture: 'arm64', variant: 'v8' } },
        { digest: digest('c'), size: 1, platform: { os: 'unknown', architecture: 'unknown' } },
        { digest: digest('d'), size: 1 },
      ],
    };
    const manifests = parseManifest(ociIndex, bytes(index))?.manifests;
    expect(manifests?.map((entry) => entry.architecture)).toEqual(['amd64', 'arm64', null, undefined]);
  });
});

test.each([
  ['[]', ociManifest],
  ['null', ociManifest],
  ['1', ociManifest],
  ['{', ociManifest],
  ['<html></html>', 'text/html'],
  ['{}', undefined],
  ['{}', ';charset=utf-8'],
  ['{}', 'json'],
  [String.raw`{"mediaType":"a/b\r\nX-Evil: 1"}`, undefined],
  ['{"mediaType":"a/\u00fc"}', undefined],
  ['{"mediaType":5}', undefined],
])('%s sent as %s is no manifest', (text, type) => {
  expect(parseManifest(type, bytes(text))).toBeNull();
});

describe('a manifest is refused', () => {
  const layer = (more: string): string => `{"layers":[{"digest":"${digest('a')}","size":1${more}}]}`;
  const layers = (count: number): readonly object[] => Array.from({ length: count }, () => ({ digest: digest('a') }));

  it.each([
    '{"layers":[],"layers":[]}',
    '{"layers":[],"LAYERS":[]}',
    '{"config":{},"Config":{}}',
    String.raw`{"layers":[],"layer\u017f":[]}`,
    layer(`,"digest":"${digest('b')}"`),
    layer(`,"Digest":"${digest('b')}"`),
    layer(',"platform":{"architecture":"amd64","Architecture":"arm64"}'),
  ])('that readers may read in two ways: %s', (text) => {
    expect(refusal(text)).toMatch(/two members/);
  });

  it('that has more descriptors than 10,000, of whatever kind', () => {
    expect(refusal({ layers: layers(10_000) })).toBeUndefined();
    expect(refusal({ config: { digest: digest('b') }, layers: layers(9_999) })).toBeUndefined();
    expect(refusal({ manifests: layers(10_001) })).toContain('10000');
    expect(refusal({ fsLayers: layers(10_001) })).toContain('10000');
    expect(refusal({ layers: layers(5_001), manifests: layers(5_000) })).toContain('10000');
    expect(refusal({ config: {}, subject: {}, layers: layers(9_999) })).toContain('10000');
  });

  it('that is nested deeper than 64 levels, in a text that it holds too', () => {
    const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
    expect(refusal(`{"layers":[],"x":${nested(63)}}`)).toBeUndefined();
    expect(refusal(`{"layers":[],"x":${nested(64)}}`)).toContain('64');
    const history = [{ v1Compatibility: `{"architecture":"arm64","x":${nested(1_000_000)}}` }];
    const signatures = [{ protected: Buffer.from(`{"x":${nested(1_000_000)}}`).toString('base64url') }];
    for (const type of [schema1, signedSchema1]) {
      const parsed = parseManifest(type, bytes({ fsLayers: [], history, signatures }));
      expect(parsed?.image).toEqual({ architecture: null, entrypoint: [] });
    }
  });
});

test('an image config that is nested deeply has no facts, and its labels are free', () => {
  const config = (more: string): string => `{"architecture":"arm64","os":"linux"${more}}`;
  expect(parseImageConfig(bytes(config(`,"x":${'['.repeat(1_000_000)}`)), ociConfig)).toBeNull();
  const labels = ',"config":{"Labels":{"name":"a","Name":"b"}}';
  expect(parseImageConfig(bytes(config(labels)), ociConfig)?.architecture).toBe('arm64');
});

test('bytes that are not UTF-8 are no manifest', () => {
  expect(parseManifest(ociManifest, Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]))).toBeNull();
});

describe('a schema 1 manifest', () => {
  const v1Compatibility = JSON.stringify({ architecture: 'ppc64le', config: { Entrypoint: ['/bin/sh', '-c'] } });
  const manifest = {
    schemaVersion: 1,
    architecture: 'S390X',
    fsLayers: [{ blobSum: digest('a') }, { blobSum: digest('a') }, { blobSum: digest('b') }],
    history: [{ v1Compatibility }, { v1Compatibility: '{}' }],
  };

  it('says its architecture and entrypoint itself, and names its layers', () => {
    expect(parseManifest(schema1, bytes(manifest))?.image).toEqual({
      architecture: 's390x',
      entrypoint: ['/bin/sh', '-c'],
    });
    expect(namedTexts(schema1, manifest)).toEqual([digest('a'), digest('b')]);
  });

  it('without an architecture has that of its newest layer', () => {
    const image = parseManifest(schema1, bytes({ ...manifest, architecture: undefined }))?.image;
    expect(image?.architecture).toBe('ppc64le');
  });

  it('that says nothing has no architecture and no entrypoint', () => {
    expect(parseManifest(signedSchema1, bytes('{}'))?.image).toEqual({ architecture: null, entrypoint: [] });
  });

  it('that is signed has the digest of its payload', () => {
    const payload = '{\n   "name": "x",\n   "schemaVersion": 1\n}';
    const length = payload.lastIndexOf('\n}');
    const format = { formatLength: length, formatTail: Buffer.from('\n}').toString('base64url') };
    const encoded = Buffer.from(JSON.stringify(format)).toString('base64url');
    const body = bytes(`${payload.slice(0, length)},\n   "signatures": [{"protected": "${encoded}"}]\n}`);
    expect(digestOf('sha256', digestedBytes(signedSchema1, body) ?? body)).toEqual(digestOf('sha256', bytes(payload)));
    expect(digestedBytes(ociManifest, body)).toBe(body);
  });

  it.each([
    '{}',
    '{"signatures":[{"protected":"e30"}]}',
    `{"signatures":[{"protected":"${Buffer.from('{"formatLength":1e9,"formatTail":""}').toString('base64url')}"}]}`,
  ])('with the signature %s is digested as it is', (text) => {
    const body = bytes(text);
    expect(digestedBytes(signedSchema1, body)).toBe(body);
  });
});

test.each([
  [{ architecture: 'arm64', config: { Entrypoint: ['/usr/bin/fusion', 'x'] } }, 'arm64', ['/usr/bin/fusion', 'x']],
  [{ architecture: ' AMD64 ', config: { Entrypoint: '/bin/sh' } }, 'amd64', ['/bin/sh']],
  [{ architecture: 'unknown', config: { Entrypoint: null } }, null, []],
  [{ architecture: 5, config: [] }, null, []],
  [{}, null, []],
])('the image config %j has the architecture %s and the entrypoint %j', (config, architecture, entrypoint) => {
  expect(parseImageConfig(bytes(config), ociConfig)).toEqual({ architecture, entrypoint });
});

test('an image config that is no JSON object has no facts', () => {
  expect(parseImageConfig(bytes('[]'), ociConfig)).toBeNull();
});

test.each([
  [
    { architecture: 'arm64', os: 'linux' },
    { architecture: 'arm64', entrypoint: [] },
  ],
  [
    { rootfs: { type: 'layers' }, config: { Entrypoint: ['/x'] } },
    { architecture: null, entrypoint: ['/x'] },
  ],
  [{ architecture: 'arm64' }, null],
  [{ name: 'chart', version: '1.0' }, null],
  [{ rootfs: '/', architecture: 5, os: 'linux' }, null],
  ['no json', null],
])('a config of an unsaid type that holds %j has the facts %j', (config, facts) => {
  for (const type of ['application/octet-stream', 'application/json', 'text/html', '']) {
    expect(parseImageConfig(bytes(config), type)).toEqual(facts);
  }
});

test.each([
  ['amd64', 'amd64'],
  ['Arm64', 'arm64'],
  ['unknown', null],
  ['Unknown', null],
  ['', null],
  ['a b', null],
  ['a/b', null],
  ['a'.repeat(65), null],
  [null, null],
  [undefined, null],
])('the architecture %j is %j', (value, expected) => {
  expect(architectureOf(value)).toBe(expected);
});
