import { afterAll, beforeAll, beforeEach, describe, expect, it, test } from 'vitest';

import type { Principal, Right } from '../identity/index.ts';
import type { Admission, AdmissionScope } from './index.ts';
import { nextLink } from './tags-handler.ts';
import { TestGateway } from './testing/gateway.ts';
import { image } from './testing/images.ts';
import { TestUpstream } from './testing/upstream.ts';

const manifest = image({});
const blobPath = `/v2/lab/team/app/blobs/${manifest.digest.text}`;
const contentPaths = [
  '/v2/lab/team/app/manifests/v1',
  blobPath,
  '/v2/lab/team/app/tags/list',
  '/v2/other.example/x/tags/list',
];

let lab: TestUpstream;
let gateway: TestGateway;
let admit: (scope: AdmissionScope) => Admission | Promise<Admission>;

beforeAll(async () => {
  lab = await TestUpstream.start();
  for (const tag of ['v1', 'v10', 'v2', 'V3', 'latest']) lab.put('team/app', manifest, tag);
  lab.put('library/alpine', manifest, 'latest');
  gateway = await TestGateway.start({ lab, 'docker.io': lab }, { admit: (_headers, _address, scope) => admit(scope) });
});

beforeEach(() => {
  admit = () => ({ kind: 'anonymous' });
  lab.requests.length = 0;
  gateway.pulls.length = 0;
  gateway.logs.length = 0;
});

afterAll(async () => {
  await gateway.remove();
  await lab.stop();
});

const codeOf = (body: Buffer): string | undefined => /"code":"([A-Z_]+)"/.exec(body.toString())?.[1];
const principal = (...rights: readonly Right[]): Principal => ({ subject: 'alice', rights: new Set(rights) });

describe('a client', () => {
  it('that is rejected gets a challenge for every path, and no other information', async () => {
    admit = () => ({ kind: 'refused', challenge: 'Bearer realm="https://gateway.example/v2/token"' });
    for (const path of ['/v2/', ...contentPaths]) {
      const answer = await gateway.get(path);
      expect([answer.status, codeOf(answer.body)]).toEqual([401, 'UNAUTHORIZED']);
      expect(answer.headers['www-authenticate']).toBe('Bearer realm="https://gateway.example/v2/token"');
    }
    expect(lab.requests).toEqual([]);
  });

  it('may be challenged at /v2/ only', async () => {
    admit = (scope) => (scope === 'base' ? { kind: 'refused', challenge: 'Basic realm="x"' } : { kind: 'anonymous' });
    expect((await gateway.get('/v2/')).status).toBe(401);
    expect((await gateway.get('/v2/lab/team/app/manifests/v1')).status).toBe(200);
  });

  it('without the right to pull gets 403 for content, but not for /v2/', async () => {
    admit = () => Promise.resolve({ kind: 'principal', principal: principal('query', 'admin') });
    expect((await gateway.get('/v2/')).status).toBe(200);
    for (const path of contentPaths) {
      const answer = await gateway.get(path);
      expect([answer.status, codeOf(answer.body)]).toEqual([403, 'DENIED']);
    }
  });

  it('with the right to pull is admitted', async () => {
    admit = () => ({ kind: 'principal', principal: principal('pull') });
    expect((await gateway.get('/v2/lab/team/app/manifests/v1')).status).toBe(200);
  });

  it.each([
    ['rejects', () => Promise.reject(new Error('secret detail'))],
    [
      'throws',
      (): Admission => {
        throw new Error('secret detail');
      },
    ],
  ])('whose admission %s gets 500, and the reason is logged', async (_name, failing) => {
    admit = failing;
    const answer = await gateway.get('/v2/');
    expect([answer.status, codeOf(answer.body)]).toEqual([500, 'UNKNOWN']);
    expect(answer.body.toString()).not.toContain('secret');
    expect(gateway.logs).toMatchObject([{ level: 'error', fields: { error: 'secret detail' } }]);
  });
});

test.each([
  ['/v2/docker.io/alpine/manifests/latest', {}],
  ['/v2/alpine/manifests/latest?ns=docker.io', {}],
  ['/v2/library/alpine/manifests/latest?ns=docker.io', {}],
  ['/v2/alpine/manifests/latest', { 'x-registry': 'docker.io' }],
])('%s with the headers %j is library/alpine of docker.io', async (path, headers) => {
  expect((await gateway.get(path, headers)).status).toBe(200);
  expect(gateway.pulls).toMatchObject([{ upstream: 'docker.io', repository: 'library/alpine', tag: 'latest' }]);
});

test('the name of a repository may contain parts of a route', async () => {
  for (const name of ['manifests', 'blobs/manifests', 'tags/list', 'a/manifests/b/blobs', 'v2/app', 'a/b/c/d/e/f/g']) {
    lab.put(name, manifest, 'list');
    expect((await gateway.get(`/v2/lab/${name}/manifests/list`)).status).toBe(200);
  }
  expect(gateway.pulls.map(({ repository }) => repository)).toContain('a/manifests/b/blobs');
});

test('the namespace of a request is confirmed in the response', async () => {
  const path = '/v2/team/app/manifests/v1';
  expect((await gateway.get(`${path}?ns=lab`)).headers['oci-namespace']).toBe('lab');
  expect((await gateway.get(path)).headers['oci-namespace']).toBeUndefined();
});

test.each([
  ['lab', 200, 'lab'],
  ['LAB', 200, 'LAB'],
  ['other.example', 404, undefined],
  ['a%0d%0aSet-Cookie:%20x', 404, undefined],
])('the namespace %s with the header X-Registry: lab gets %s', async (ns, status, confirmed) => {
  const path = `/v2/team/app/manifests/v1?ns=${ns}`;
  for (let round = 0; round < 2; round++) {
    const answer = await gateway.get(path, { 'x-registry': 'lab' });
    expect([answer.status, answer.headers['oci-namespace']]).toEqual([status, confirmed]);
    expect(answer.headers['set-cookie']).toBeUndefined();
  }
  expect(gateway.pulls).toHaveLength(status === 200 ? 2 : 0);
});

test('a namespace is confirmed only if it names the upstream that answers', async () => {
  const answer = await gateway.get('/v2/team/app/manifests/v1?ns=docker.io', { 'x-registry': 'lab' });
  expect([answer.status, answer.headers['oci-namespace']]).toEqual([200, undefined]);
});

test('a path that starts with the namespace counts as the repository without it', async () => {
  const blob = await gateway.get(`${blobPath.replace('/lab/', '/lab/lab/')}?ns=lab`);
  expect(blob.status).toBe(404);
  for (const path of ['/v2/lab/team/app/manifests/v1?ns=lab', '/v2/team/app/manifests/v1?ns=lab']) {
    expect((await gateway.get(path)).status).toBe(200);
  }
  expect(gateway.pulls.map(({ repository }) => repository)).toEqual(['team/app', 'team/app']);
});

test('a path with unnecessary percent-encoding is the same path', async () => {
  expect((await gateway.get('/v2/lab/team/app/manifests/%76%31')).status).toBe(200);
  expect((await gateway.get(`/v2/lab/team/app/manifests/${manifest.digest.text.replace(':', '%3A')}`)).status).toBe(
    200,
  );
});

describe('a tag list', () => {
  it("is the upstream's list under the requested name", async () => {
    const answer = await gateway.get('/v2/docker.io/team/app/tags/list');
    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toBe('application/json');
    expect(JSON.parse(answer.body.toString())).toEqual({
      name: 'docker.io/team/app',
      tags: ['V3', 'latest', 'v1', 'v10', 'v2'],
    });
    expect((await gateway.head('/v2/docker.io/team/app/tags/list')).body).toHaveLength(0);
  });

  it('has pages with links to the gateway', async () => {
    const tags: string[] = [];
    let next: string | undefined = '/v2/team/app/tags/list?n=2&ns=lab&own=1';
    while (next !== undefined) {
      const answer = await gateway.get(next);
      tags.push(...(JSON.parse(answer.body.toString()) as { tags: string[] }).tags);
      next = /^<(\/v2\/team\/app\/tags\/list\?[^>]*ns=lab)>; rel="next"$/.exec(String(answer.headers.link))?.[1];
    }
    expect(tags).toEqual(['V3', 'latest', 'v1', 'v10', 'v2']);
    expect(lab.requests.map(({ target }) => target)).toEqual([
      '/v2/team/app/tags/list?n=2&own=1',
      '/v2/team/app/tags/list?last=latest&n=2',
      '/v2/team/app/tags/list?last=v10&n=2',
    ]);
  });

  it.each(['list?cursor=b%2Fc+d&x', 'https://elsewhere.example/v2/y/tags/list?cursor=b%2Fc+d&x'])(
    "with the upstream's link %s has a next link with the unchanged cursor",
    async (linked) => {
      lab.behaviour.intercept = (request, response) => {
        if (request.url?.endsWith('/tags/list?n=1') === true) response.setHeader('link', `${linked}; rel="prev next"`);
        response.end('{"tags":["a"]}');
        return true;
      };
      const first = await gateway.get('/v2/lab/team/app/tags/list?n=1');
      expect(first.headers.link).toBe('</v2/lab/team/app/tags/list?cursor=b%2Fc+d&x>; rel="next"');
      expect((await gateway.get('/v2/lab/team/app/tags/list?cursor=b%2Fc+d&x')).headers.link).toBeUndefined();
      expect(lab.requests.at(-1)?.target).toBe('/v2/team/app/tags/list?cursor=b%2Fc+d&x');
      delete lab.behaviour.intercept;
    },
  );

  it.each([
    ['', '?n=100'],
    ['?n=2', '?n=2'],
    ['?n=2&last=b', '?last=b&n=2'],
    ['?n=2&last=b', '?last=b'],
    ['?n=2&last=b', ''],
    ['?n=2&last=b', '?last='],
    ['?page=3&ns=lab', '?page=3'],
    ['', `?cursor=${'x'.repeat(4_096)}`],
    ['', 'http://[x/?page=2'],
  ])('that is requested with %j and links to %.20j gets 502', async (query, linked) => {
    lab.behaviour.intercept = (_request, response) => {
      const target = linked.includes(':') ? linked : `/v2/team/app/tags/list${linked}`;
      response.setHeader('link', `<${target}>; rel="next"`).end('{"tags":["a"]}');
      return true;
    };
    const answer = await gateway.get(`/v2/lab/team/app/tags/list${query}`);
    expect([answer.status, codeOf(answer.body)]).toEqual([502, 'UNKNOWN']);
    delete lab.behaviour.intercept;
  });

  it('of a repository that does not exist gets 404', async () => {
    const answer = await gateway.get('/v2/lab/nowhere/tags/list');
    expect([answer.status, codeOf(answer.body)]).toEqual([404, 'NAME_UNKNOWN']);
  });

  it.each([
    ['{"name":"x","tags":null}', 200],
    ['{"name":"x","tags":[1]}', 502],
    ['[]', 502],
    [`{"name":"x","tags":["${'x'.repeat(4 * 1024 * 1024)}"]}`, 502],
  ])('that is %.30s gets %s', async (body, status) => {
    lab.behaviour.intercept = (_request, response) => {
      response.end(body);
      return true;
    };
    expect((await gateway.get('/v2/lab/team/app/tags/list')).status).toBe(status);
    delete lab.behaviour.intercept;
  });
});

test.each([
  [undefined, null],
  ['', null],
  ['</v2/x/tags/list?n=2&last=a>; rel="next"', '</v2/app/tags/list?n=2&last=a>; rel="next"'],
  ['</v2/x/tags/list?n=2&last=a>; rel=next', '</v2/app/tags/list?n=2&last=a>; rel="next"'],
  [
    '<https://evil.example/?last=a%3E%0d%0a&token=x>; rel="next"',
    '</v2/app/tags/list?last=a%3E%0d%0a&token=x>; rel="next"',
  ],
  ['</a>; rel="prev", </b?last=z>; rel="next"', '</v2/app/tags/list?last=z>; rel="next"'],
  ['</a>; rel="prev"', null],
  ['</b?last=z&ns=x>; rel="next"', '</v2/app/tags/list?last=z>; rel="next"'],
  ['</b?last=ü"<>; rel="next"', '</v2/app/tags/list?last=%C3%BC%22%3C>; rel="next"'],
])('the link %j becomes %j', (link, expected) => {
  expect(nextLink(link, { name: 'app', query: '' }, { namespace: undefined })).toBe(expected);
});
