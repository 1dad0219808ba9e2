import type { IncomingHttpHeaders } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it, test } from 'vitest';

import type { Principal } from '../identity/index.ts';
import type { Admission } from './options.ts';
import { TestGateway } from './testing/gateway.ts';
import { content, image, index, types, type Content, type TestImage } from './testing/images.ts';
import { TestUpstream } from './testing/upstream.ts';

const minutes = 60_000;
let lab: TestUpstream;
let gateway: TestGateway;
let count = 0;
let app: string;
let amd64: TestImage;
let choice: Content;

/** The header `X-User` names the client. A request without it is anonymous. */
const admit = ({ 'x-user': user }: IncomingHttpHeaders): Admission => {
  if (typeof user !== 'string') return { kind: 'anonymous' };
  const principal: Principal = { subject: user, rights: new Set(['pull']) };
  return { kind: 'principal', principal: user === 'rack' ? { ...principal, isNetwork: true } : principal };
};

beforeAll(async () => {
  lab = await TestUpstream.start();
  gateway = await TestGateway.start({ lab }, { admit, tagMemoryMs: 10 * minutes });
});

beforeEach(async () => {
  app = `app-${++count}`;
  lab.reset();
  await gateway.reset();
  amd64 = image({ name: app, architecture: 'amd64' });
  const arm64 = image({ name: app, architecture: 'arm64' });
  choice = index([
    [amd64, 'amd64'],
    [arm64, 'arm64'],
  ]);
  for (const each of [amd64, arm64]) lab.put(app, each);
  lab.put(app, choice, 'v1');
});

afterAll(async () => {
  await gateway.remove();
  await lab.stop();
});

const pathOf = (reference: string | Content, name = app): string =>
  `/v2/lab/${name}/manifests/${typeof reference === 'string' ? reference : reference.digest.text}`;
const as = (user: string): Record<string, string> => ({ 'x-user': user });

/** Pulls by digest and returns the tag of the recorded pull. */
async function tagOfPull(of: Content = amd64, headers: Record<string, string> = {}): Promise<string | undefined> {
  expect((await gateway.get(pathOf(of), headers)).status).toBe(200);
  return gateway.pulls.at(-1)?.tag;
}

describe('a pull by digest gets the tag', () => {
  it('that was resolved by HEAD to an index, as Docker and containerd do', async () => {
    await gateway.head(pathOf('v1'));
    await gateway.get(pathOf(choice));
    expect(await tagOfPull()).toBe('v1');
    expect(gateway.pulls).toHaveLength(1);
  });

  it('that was resolved by GET to an index, as skopeo and podman do', async () => {
    await gateway.get(pathOf('v1'));
    expect(await tagOfPull()).toBe('v1');
  });

  it('that was resolved to the image itself', async () => {
    lab.put(app, amd64, 'single');
    await gateway.head(pathOf('single'));
    expect(await tagOfPull()).toBe('single');
  });

  it('that was confirmed by a 304, or answered from the cache', async () => {
    const etag = `"${choice.digest.text}"`;
    expect((await gateway.get(pathOf('v1'), { 'if-none-match': etag })).status).toBe(304);
    expect(await tagOfPull()).toBe('v1');
    await gateway.head(pathOf('v1'), as('bob'));
    expect(await tagOfPull(amd64, as('bob'))).toBe('v1');
  });

  it('that was resolved last', async () => {
    lab.put(app, choice, 'latest');
    for (const tag of ['v1', 'latest', 'v1']) {
      await gateway.head(pathOf(tag));
      expect(await tagOfPull()).toBe(tag);
    }
  });

  it('of an index within an index', async () => {
    const outer = content(types.ociIndex, {
      schemaVersion: 2,
      mediaType: types.ociIndex,
      manifests: [{ mediaType: types.ociIndex, digest: choice.digest.text, size: choice.body.byteLength }],
    });
    lab.put(app, outer, 'outer');
    await gateway.head(pathOf('outer'));
    await gateway.get(pathOf(choice));
    expect(await tagOfPull()).toBe('outer');
  });

  it('after a restart of the gateway, which loads the index from the disk', async () => {
    await gateway.get(pathOf('v1'));
    await gateway.reopen({});
    await gateway.head(pathOf('v1'));
    expect(await tagOfPull()).toBe('v1');
  });

  it('for its egress bytes, too', async () => {
    await gateway.head(pathOf('v1'));
    await tagOfPull();
    await gateway.close();
    expect(gateway.egress.at(-1)).toMatchObject({ tag: 'v1', bytes: amd64.body.byteLength });
    await gateway.open();
  });
});

describe('a pull by digest does not get a tag', () => {
  it('that no client has resolved', async () => {
    expect(await tagOfPull()).toBeUndefined();
  });

  it('that another principal or an anonymous client has resolved', async () => {
    await gateway.head(pathOf('v1'), as('alice'));
    expect(await tagOfPull(amd64, as('bob'))).toBeUndefined();
    expect(await tagOfPull()).toBeUndefined();
    expect(await tagOfPull(amd64, as('alice'))).toBe('v1');
  });

  it('that another address of its network has resolved', async () => {
    await gateway.head(pathOf('v1'), as('rack'));
    // The address identifies the client, as for an anonymous one.
    expect(await tagOfPull()).toBe('v1');
    expect(await tagOfPull(amd64, as('other'))).toBeUndefined();
  });

  it('that was resolved in another repository', async () => {
    const other = `${app}-other`;
    lab.put(other, amd64);
    await gateway.head(pathOf('v1'));
    expect((await gateway.get(pathOf(amd64, other))).status).toBe(200);
    expect(gateway.pulls.at(-1)?.tag).toBeUndefined();
  });

  it('that was resolved to another digest', async () => {
    const stray = image({ name: `${app}-stray` });
    lab.put(app, stray);
    await gateway.head(pathOf('v1'));
    expect(await tagOfPull(stray)).toBeUndefined();
  });

  it('that was resolved too long ago', async () => {
    await gateway.head(pathOf('v1'));
    gateway.clock.advance(10 * minutes);
    expect(await tagOfPull()).toBe('v1');
    gateway.clock.advance(1);
    expect(await tagOfPull()).toBeUndefined();
  });
});

test('a moved tag applies to both of its images for a while', async () => {
  await gateway.head(pathOf('v1'));
  const newer = image({ name: `${app}-newer` });
  lab.put(app, newer, 'v1');
  gateway.clock.advance(2 * minutes);
  await gateway.head(pathOf('v1'));
  expect(await tagOfPull(newer)).toBe('v1');
  expect(await tagOfPull(amd64)).toBe('v1');
});

test('without tag memory, nothing is remembered', async () => {
  const plain = await TestGateway.start({ lab });
  await plain.get(pathOf('v1'));
  await plain.get(pathOf(amd64));
  expect(plain.pulls).toMatchObject([{ repository: app }]);
  expect(plain.pulls[0]?.tag).toBeUndefined();
  await plain.remove();
});
