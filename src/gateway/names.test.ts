import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { OciError } from '../oci/index.ts';
import { systemClock } from '../base/index.ts';
import { MetricSet } from '../metric/index.ts';
import { GatewayMetrics } from './metrics.ts';
import { resolveName } from './names.ts';
import { UpstreamTable } from './upstreams.ts';
import type { UpstreamOptions } from './options.ts';
import { isWellKnownHost, wellKnownRealm, wellKnownUpstreams } from './well-known.ts';

const metrics = new GatewayMetrics(new MetricSet(), systemClock);
const shared = {
  proxyOf: () => undefined,
  own: { ports: new Set<number>() },
  clock: systemClock,
  userAgent: 'test',
  undeclaredBlobBytesMax: 1_000,
  meters: (name: string) => metrics.upstream(name),
};
const upstream = (name: string, aliases: readonly string[] = []): UpstreamOptions => ({
  name,
  url: 'https://upstream.example',
  aliases,
  tagTtlMs: 1,
});
const upstreams = [upstream('docker.io', ['index.docker.io']), upstream('ghcr.io'), upstream('lab', ['local:5000'])];
let table: UpstreamTable;

beforeAll(() => {
  table = new UpstreamTable(upstreams, 'docker.io', shared);
});

afterAll(() => table.destroy());

function resolved(of: UpstreamTable, name: string, header?: string, namespace?: string): string {
  try {
    const repository = resolveName(of, name, { header, namespace });
    return `${repository.upstream.name} ${repository.name}`;
  } catch (error) {
    if (!(error instanceof OciError)) throw error;
    return error.kind;
  }
}

describe('an image name', () => {
  it.each([
    ['alpine', undefined, undefined, 'docker.io library/alpine'],
    ['team/app', undefined, undefined, 'docker.io team/app'],
    ['docker.io/alpine', undefined, undefined, 'docker.io library/alpine'],
    ['docker.io/library/alpine', undefined, undefined, 'docker.io library/alpine'],
    ['index.docker.io/alpine', undefined, undefined, 'docker.io library/alpine'],
    ['Docker.IO/alpine', undefined, undefined, 'docker.io library/alpine'],
    ['DOC\u212AER.io/alpine', undefined, undefined, 'nameInvalid'],
    ['alpine', undefined, 'DOC\u212AER.io', 'nameUnknown'],
    ['ghcr.io/app', undefined, undefined, 'ghcr.io app'],
    ['ghcr.io/a/b/c/d/e/f', undefined, undefined, 'ghcr.io a/b/c/d/e/f'],
    ['lab/app', undefined, undefined, 'lab app'],
    ['local:5000/app', undefined, undefined, 'lab app'],
    ['team/app.with.dots', undefined, undefined, 'docker.io team/app.with.dots'],
    ['team/manifests/blobs', undefined, undefined, 'docker.io team/manifests/blobs'],
    ['other.example/app', undefined, undefined, 'nameUnknown'],
    ['other:5000/app', undefined, undefined, 'nameUnknown'],
    ['localhost/app', undefined, undefined, 'nameUnknown'],
    ['image.with.dots', undefined, undefined, 'nameUnknown'],
    ['docker.io', undefined, undefined, 'nameInvalid'],
    ['lab', undefined, undefined, 'nameInvalid'],
    ['docker.io/Alpine', undefined, undefined, 'nameInvalid'],
    ['docker.io/', undefined, undefined, 'nameInvalid'],
    ['', undefined, undefined, 'nameInvalid'],
    // A hint names the upstream, so the whole name is the repository.
    ['alpine', undefined, 'docker.io', 'docker.io library/alpine'],
    ['app', undefined, 'ghcr.io', 'ghcr.io app'],
    ['app', undefined, 'INDEX.docker.io', 'docker.io library/app'],
    ['lab/app', undefined, 'ghcr.io', 'ghcr.io lab/app'],
    ['app', 'lab', undefined, 'lab app'],
    ['app', 'lab', 'ghcr.io', 'lab app'],
    ['app', 'lab', 'other.example', 'nameUnknown'],
    ['app', 'lab', 'a\r\nb', 'nameUnknown'],
    ['app', 'lab', '', 'nameUnknown'],
    // The path and the namespace name the same upstream.
    ['ghcr.io/team/app', undefined, 'ghcr.io', 'ghcr.io team/app'],
    ['GHCR.io/team/app', undefined, 'ghcr.IO', 'ghcr.io team/app'],
    ['ghcr.io/ghcr.io/app', undefined, 'ghcr.io', 'ghcr.io ghcr.io/app'],
    ['local:5000/team/app', undefined, 'lab', 'lab team/app'],
    ['docker.io/alpine', undefined, 'index.docker.io', 'docker.io library/alpine'],
    ['lab', undefined, 'lab', 'lab lab'],
    ['lab/', undefined, 'lab', 'nameInvalid'],
    ['docker.io/team/app', undefined, 'ghcr.io', 'ghcr.io docker.io/team/app'],
    ['ghcr.io/team/app', 'lab', 'ghcr.io', 'lab ghcr.io/team/app'],
    ['lab/team/app', 'lab', undefined, 'lab lab/team/app'],
    ['app', 'other.example', 'ghcr.io', 'nameUnknown'],
    ['app', undefined, 'other.example', 'nameUnknown'],
    ['app', undefined, '', 'nameUnknown'],
    ['app', '', undefined, 'nameUnknown'],
  ])('%j with the header %j and the namespace %j is %s', (name, header, namespace, expected) => {
    expect(resolved(table, name, header, namespace)).toBe(expected);
  });

  it('without an upstream is unknown if there is no default', () => {
    const bare = new UpstreamTable(upstreams, undefined, shared);
    expect(resolved(bare, 'alpine')).toBe('nameUnknown');
    expect(resolved(bare, 'ghcr.io/app')).toBe('ghcr.io app');
    expect(resolved(bare, 'Alpine')).toBe('nameInvalid');
  });

  it('with an unknown upstream gets an error that lists the configured ones', () => {
    expect(() => resolveName(table, 'other.example/app', { header: undefined, namespace: undefined })).toThrow(
      'docker.io, ghcr.io, lab',
    );
  });
});

describe('the upstreams', () => {
  it.each([
    ['wt', 'it is reserved'],
    ['token', 'it is reserved'],
    ['_catalog', 'it is reserved'],
    ['Upper', 'lower-case word'],
    ['a/b', 'lower-case word'],
    ['', 'lower-case word'],
  ])('cannot be called %j', (name, message) => {
    expect(() => new UpstreamTable([upstream(name)], undefined, shared)).toThrow(message);
    expect(() => new UpstreamTable([upstream('fine', [name])], undefined, shared)).toThrow(message);
  });

  it('cannot share a name or have an unknown default', () => {
    expect(() => new UpstreamTable([upstream('a'), upstream('b', ['a'])], undefined, shared)).toThrow('given twice');
    expect(() => new UpstreamTable([upstream('a')], 'b', shared)).toThrow('not among the upstreams');
  });

  it.each(['ftp://host', 'host:5000', 'https://user:password@host', 'https://host?x', '/path', ''])(
    'cannot be at %j, and the error does not repeat it',
    (url) => {
      const broken = { ...upstream('a'), url };
      expect(() => new UpstreamTable([broken], undefined, shared)).toThrow('as the url of an upstream');
      expect(() => new UpstreamTable([broken], undefined, shared)).not.toThrow(/password/);
    },
  );

  it('that are well known require https', () => {
    const plain = { ...upstream('docker.io'), url: 'http://registry-1.docker.io' };
    expect(() => new UpstreamTable([plain], undefined, shared)).toThrow('https');
    expect(Object.values(wellKnownUpstreams).every(({ url }) => url.startsWith('https://'))).toBe(true);
    expect(isWellKnownHost('ghcr.io')).toBe(true);
    expect(isWellKnownHost('127.0.0.1:5000')).toBe(false);
  });

  it('include Docker Hub with one token endpoint for all of its hosts', () => {
    const hub = 'https://auth.docker.io';
    for (const host of ['registry-1.docker.io', 'registry.hub.docker.com', 'index.docker.io']) {
      expect(wellKnownRealm('hub', host)).toBe(hub);
    }
    expect(wellKnownRealm('docker.io', 'mirror.example:5000')).toBe(hub);
    expect(wellKnownRealm('lab', 'docker.io.example')).toBeUndefined();
    expect(wellKnownRealm('ghcr.io', 'ghcr.io')).toBeUndefined();
  });
});
