import { expect, test } from 'vitest';

import {
  bareMediaType,
  configKindOf,
  countsAsPull,
  isSpecificManifestType,
  manifestAccept,
  manifestKindOf,
} from './media-types.ts';

const docker = 'application/vnd.docker.distribution.manifest';

test.each([
  ['application/vnd.oci.image.index.v1+json', 'index', false],
  [`${docker}.list.v2+json`, 'index', false],
  ['application/vnd.oci.image.manifest.v1+json', 'image', true],
  [`${docker}.v2+json`, 'image', true],
  [`${docker}.v1+json`, 'schema1', true],
  [`${docker}.v1+prettyjws`, 'schema1', true],
  [`${docker}.v2+json; charset=utf-8`, 'image', true],
  [`${docker}.v2+json;charset="utf-8"`, 'image', true],
  [`${docker.toUpperCase()}.V2+JSON`, 'image', true],
  [` ${docker}.v2+json `, 'image', true],
  ['application/vnd.oci.image.config.v1+json', null, false],
  ['application/json', null, false],
  ['text/html', null, false],
  ['', null, false],
  ['toString', null, false],
  ['constructor', null, false],
])('%j is a manifest of kind %s, and counts: %s', (type, kind, counts) => {
  expect(manifestKindOf(type)).toBe(kind);
  expect(countsAsPull(type)).toBe(counts);
});

test('the Accept header names all six types', () => {
  expect(manifestAccept.split(', ').filter((type) => manifestKindOf(type) !== null)).toHaveLength(6);
});

test.each([
  ['application/vnd.oci.image.config.v1+json', 'image'],
  ['application/vnd.docker.container.image.v1+json', 'image'],
  ['Application/vnd.OCI.image.config.v1+json;x=y', 'image'],
  ['application/vnd.cncf.helm.config.v1+json', 'artifact'],
  ['application/vnd.oci.empty.v1+json', 'artifact'],
  ['application/vnd.buildkit.cacheconfig.v0', 'artifact'],
  ['application/octet-stream', 'unknown'],
  ['application/json', 'unknown'],
  ['text/html; charset=utf-8', 'unknown'],
  ['', 'unknown'],
])('a config of type %j is classified as %s', (type, expected) => {
  expect(configKindOf(type)).toBe(expected);
});

test.each([
  ['application/vnd.oci.image.index.v1+json', true],
  [`${docker}.v1+prettyjws`, true],
  ['application/vnd.example.thing+json; charset=utf-8', true],
  ['application/json', false],
  ['application/octet-stream', false],
  ['image/svg+xml', false],
  ['text/x+json', false],
  ['application/+json', false],
  ['', false],
])('%j is a specific manifest type: %s', (type, expected) => {
  expect(isSpecificManifestType(type)).toBe(expected);
});

test('a bare media type has no parameters and is in lower case', () => {
  expect(bareMediaType('Text/HTML ; charset=x')).toBe('text/html');
});
