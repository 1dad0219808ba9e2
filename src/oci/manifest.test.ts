import { Buffer } from 'node:buffer';

import { describe, expect, it, test } from 'vitest';

import { architectureOf } from './architecture.ts';
import { digestOf } from './digest.ts';
import { readImageConfig, type ImageFacts } from './image-config.ts';
import { descriptorsIn, readManifest, type Manifest } from './manifest.ts';
import { runToEnd } from './testing/run-to-end.ts';

const ociManifest = 'application/vnd.oci.image.manifest.v1+json';
const ociIndex = 'application/vnd.oci.image.index.v1+json';
const ociConfig = 'application/vnd.oci.image.config.v1+json';
const schema1 = 'application/vnd.docker.distribution.manifest.v1+json';
const signedSchema1 = 'application/vnd.docker.distribution.manifest.v1+prettyjws';

const digest = (letter: string): string => `sha256:${letter.repeat(64)}`;
const bytes = (value: unknown): Buffer => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
const parseManifest = (type: string | undefined, body: Uint8Array): Manifest | null => {
  const parsed = runToEnd(readManifest(type, body));
  return 'value' in parsed ? parsed.value : null;
};
const problemOf = (value: unknown): string | undefined => {
  const parsed = runToEnd(readManifest(ociManifest, bytes(value)));
  return 'problem' in parsed ? parsed.problem : undefined;
};
const parseImageConfig = (body: Uint8Array, type: string): ImageFacts | null => runToEnd(readImageConfig(body, type));
const digestedBytes = (type: string, body: Uint8Array): Uint8Array | undefined => parseManifest(type, body)?.digested;
const digestsIn = (type: string | undefined, value: unknown): readonly string[] => {
  const manifest = parseManifest(type, bytes(value));
  return manifest === null ? [] : descriptorsIn(manifest).map((descriptor) => descriptor.digest.text);
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

  it('names its config and each layer once; malformed descriptors are skipped', () => {
    expect(digestsIn(ociManifest, manifest)).toEqual([digest('a'), digest('b'), digest('c')]);
  });

  it('has a size of null where the stated size is invalid', () => {
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

  it('of an unknown type has no kind, but its descriptors are parsed', () => {
    const unknown = { ...manifest, mediaType: 'application/vnd.example+json' };
    const parsed = parseManifest('application/json', bytes(unknown));
    expect(parsed).toMatchObject({ kind: null, mediaType: 'application/vnd.example+json' });
    expect(digestsIn(undefined, unknown)).toHaveLength(3);
  });

  it("keeps the upstream's specific type, unless the manifest's own type is one of the six", () => {
    expect(parseManifest('application/vnd.example+json', bytes({ ...manifest, mediaType: undefined }))).toMatchObject({
      mediaType: 'application/vnd.example+json',
      kind: null,
    });
    expect(parseManifest('application/vnd.example+json', bytes(manifest))).toMatchObject({ mediaType: ociManifest });
  });
});

describe('a manifest without a stated type', () => {
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

  it.each(generic)('(sent as %j) gets its type from its members', (sent) => {
    const kinds = [image, index, old, { ...old, signatures: [{}] }].map((value) => parseManifest(sent, bytes(value)));
    expect(kinds.map((parsed) => [parsed?.mediaType, parsed?.kind])).toEqual([
      [ociManifest, 'image'],
      [ociIndex, 'index'],
      [schema1, 'schema1'],
      [signedSchema1, 'schema1'],
    ]);
  });

  it.each(generic)('(sent as %j) gets its type from its members if its own type is generic too', (sent) => {
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
  ])('whose members do not match exactly one kind (%#) has no kind', (value) => {
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
])('%s sent as %s is not a manifest', (text, type) => {
  expect(parseManifest(type, bytes(text))).toBeNull();
});

describe('a manifest is rejected', () => {
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
  ])('if clients may parse it in two ways: %s', (text) => {
    expect(problemOf(text)).toMatch(/two members/);
  });

  it('if it has more than 10,000 descriptors of any kind', () => {
    expect(problemOf({ layers: layers(10_000) })).toBeUndefined();
    expect(problemOf({ config: { digest: digest('b') }, layers: layers(9_999) })).toBeUndefined();
    expect(problemOf({ manifests: layers(10_001) })).toContain('10000');
    expect(problemOf({ fsLayers: layers(10_001) })).toContain('10000');
    expect(problemOf({ layers: layers(5_001), manifests: layers(5_000) })).toContain('10000');
    expect(problemOf({ config: {}, subject: {}, layers: layers(9_999) })).toContain('10000');
  });

  it('if it is nested deeper than 64 levels; an embedded document nested deeper has no facts', () => {
    const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
    expect(problemOf(`{"layers":[],"x":${nested(63)}}`)).toBeUndefined();
    expect(problemOf(`{"layers":[],"x":${nested(64)}}`)).toContain('64');
    const history = [{ v1Compatibility: `{"architecture":"arm64","x":${nested(1_000_000)}}` }];
    const signatures = [{ protected: Buffer.from(`{"x":${nested(1_000_000)}}`).toString('base64url') }];
    for (const type of [schema1, signedSchema1]) {
      const parsed = parseManifest(type, bytes({ fsLayers: [], history, signatures }));
      expect(parsed?.image).toEqual({ architecture: null, entrypoint: [] });
    }
  });
});

test('an image config nested too deeply has no facts; labels may differ only in case', () => {
  const config = (more: string): string => `{"architecture":"arm64","os":"linux"${more}}`;
  expect(parseImageConfig(bytes(config(`,"x":${'['.repeat(1_000_000)}`)), ociConfig)).toBeNull();
  const labels = ',"config":{"Labels":{"name":"a","Name":"b"}}';
  expect(parseImageConfig(bytes(config(labels)), ociConfig)?.architecture).toBe('arm64');
});

test('bytes that are not UTF-8 are not a manifest', () => {
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

  it('states its architecture and entrypoint, and names its layers', () => {
    expect(parseManifest(schema1, bytes(manifest))?.image).toEqual({
      architecture: 's390x',
      entrypoint: ['/bin/sh', '-c'],
    });
    expect(digestsIn(schema1, manifest)).toEqual([digest('a'), digest('b')]);
  });

  it('without an architecture has the architecture of its newest layer', () => {
    const image = parseManifest(schema1, bytes({ ...manifest, architecture: undefined }))?.image;
    expect(image?.architecture).toBe('ppc64le');
  });

  it('without members has no architecture and no entrypoint', () => {
    expect(parseManifest(signedSchema1, bytes('{}'))?.image).toEqual({ architecture: null, entrypoint: [] });
  });

  it('with a signature has the digest of its payload', () => {
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
  ])('with the invalid signature %s has the digest of its whole body', (text) => {
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

test('an image config that is not a JSON object has no facts', () => {
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
])('a config of unknown type that contains %j has the facts %j', (config, facts) => {
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
])('the architecture %j becomes %j', (value, expected) => {
  expect(architectureOf(value)).toBe(expected);
});
