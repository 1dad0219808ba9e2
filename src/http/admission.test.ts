import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyRequest } from 'fastify';
import { describe, expect, test } from 'vitest';
import { systemClock, systemRandom } from '../base/index.ts';
import {
  Authentication,
  createStaticUsers,
  PullTokens,
  type Authenticator,
  type Principal,
} from '../identity/index.ts';
import { MetricSet } from '../metric/index.ts';
import { createAdmit, createAuthorise, createAuthorisePage, type AdmissionOptions } from './admission.ts';
import { createForwardedReader } from './forwarded.ts';
import type { Handler } from './listener.ts';
import { createTokenEndpoint } from './token-endpoint.ts';

/** Password `password`, in Wave's format. */
const passwordHash = 'sha256:5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8';
const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

interface Setting {
  readonly users?: boolean;
  readonly anonymousPull?: boolean;
  readonly listener?: AdmissionOptions['listener'];
  readonly publicUrl?: string;
  /** Finds the principals of Bearer tokens. */
  readonly findToken?: (text: string) => Principal | undefined;
}

/** Authentication with or without a user, and a token of this user. */
function setUp({ users = true, anonymousPull = true, listener = 'open', publicUrl, findToken }: Setting = {}) {
  const tokens = new PullTokens({ clock: systemClock, random: systemRandom });
  const alice = { name: 'alice', passwordHash, email: 'alice@example.org', rights: ['pull', 'query'] as const };
  const authenticators = users ? [tokens, createStaticUsers({ users: [alice], log, random: systemRandom })] : [];
  const metrics = new MetricSet();
  const authentication = new Authentication({
    authenticators,
    issued: findToken === undefined ? [] : [bearer(findToken)],
    anonymousPull,
    clock: systemClock,
    random: systemRandom,
    metrics,
  });
  const options = { authentication, listener, challenges: () => users, ...(publicUrl !== undefined && { publicUrl }) };
  const token = createTokenEndpoint({ ...options, tokens, clock: systemClock, log });
  return {
    admit: createAdmit(options),
    authorise: createAuthorise(options),
    authorisePage: createAuthorisePage(options),
    token,
  };
}

function bearer(find: (text: string) => Principal | undefined): Authenticator {
  return { kind: 'lookup', authenticate: (given) => (given.scheme === 'bearer' ? find(given.token) : undefined) };
}

/** The status of the token endpoint's answer. */
function statusOf(token: Handler, headers: Record<string, string>): Promise<unknown> {
  return new Promise((resolve) => {
    const request = { method: 'GET', url: '/v2/token', headers, socket: { remoteAddress: '127.0.0.1' } };
    const response = { req: request, writeHead: resolve, end: () => undefined };
    token(request as unknown as IncomingMessage, response as unknown as ServerResponse);
  });
}

const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;
const realm = (url: string): string => `Bearer realm="${url}/v2/token",service="tonnage"`;

describe('/v2', () => {
  test('without users, every client may pull and none is challenged', async () => {
    const { admit } = setUp({ users: false });
    expect(await admit({}, '192.0.2.1', 'base')).toEqual({ kind: 'anonymous' });
    expect(await admit({}, '192.0.2.1', 'content')).toEqual({ kind: 'anonymous' });
  });

  test('with users, /v2/ challenges clients without credentials, and other paths let them pull', async () => {
    const { admit } = setUp();
    const headers = { host: 'pull.example.org:8080' };
    expect(await admit(headers, '192.0.2.1', 'base')).toEqual({
      kind: 'refused',
      challenge: realm('http://pull.example.org:8080'),
    });
    expect(await admit(headers, '192.0.2.1', 'content')).toEqual({ kind: 'anonymous' });
  });

  test('if credentials are required, every path challenges', async () => {
    const { admit } = setUp({ anonymousPull: false });
    const refused = { kind: 'refused', challenge: realm('http://localhost') };
    expect(await admit({}, '192.0.2.1', 'content')).toEqual(refused);
  });

  test('valid credentials yield a principal; wrong ones are rejected and never become anonymous', async () => {
    const { admit } = setUp();
    expect(await admit({ authorization: basic('alice:password') }, '192.0.2.1', 'content')).toMatchObject({
      kind: 'principal',
      principal: { subject: 'alice', org: 'example.org' },
    });
    for (const authorization of [basic('alice:wrong'), 'Bearer nonsense', 'Digest x', 'Basic !']) {
      expect(await admit({ authorization }, '192.0.2.1', 'content')).toMatchObject({ kind: 'refused' });
    }
  });

  test('the challenge contains the public URL instead of the Host, and never a Host that breaks out of its quotes', async () => {
    const behindProxy = setUp({ publicUrl: 'https://pull.example.org' }).admit;
    expect(await behindProxy({ host: '10.0.0.1:8080' }, '192.0.2.1', 'base')).toEqual({
      kind: 'refused',
      challenge: realm('https://pull.example.org'),
    });
    expect(await setUp().admit({ host: 'x",service="evil' }, '192.0.2.1', 'base')).toEqual({
      kind: 'refused',
      challenge: realm('http://localhost'),
    });
  });

  test('too many failed logins from one address get 429', async () => {
    const { admit } = setUp();
    const authorization = (index: number): string => basic(`alice:wrong${index}`);
    const tries = Array.from({ length: 31 }, (_, index) =>
      Promise.resolve(admit({ authorization: authorization(index) }, '192.0.2.7', 'content')),
    );
    const outcomes = await Promise.allSettled(tries);
    expect(outcomes.at(-1)).toMatchObject({
      status: 'rejected',
      reason: { status: 429, headers: { 'Retry-After': expect.stringMatching(/^\d+$/) } },
    });
  });
});

describe('the API', () => {
  const request = (headers: Record<string, string>): FastifyRequest =>
    ({ headers, ip: '127.0.0.1' }) as unknown as FastifyRequest;

  test('without users, a request to a loopback name on a loopback listener has all rights', async () => {
    const { authorise } = setUp({ users: false, listener: 'loopback' });
    expect((await authorise(request({ host: 'localhost:8080' }), 'admin')).rights).toContain('admin');
    await expect(authorise(request({ host: 'rebound.example' }), 'query')).rejects.toMatchObject({
      code: 'unauthorized',
    });
  });

  test.each(['forwarded', 'via', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip'])(
    'without users, a forwarded request with %s is not a request from this machine',
    async (name) => {
      const { authorise } = setUp({ users: false, listener: 'loopback' });
      const passedOn = request({ host: '127.0.0.1:8080', [name]: '192.0.2.1' });
      await expect(authorise(passedOn, 'query')).rejects.toMatchObject({ code: 'unauthorized' });
    },
  );

  test('without users, no client on any other listener may read usage', async () => {
    const { authorise } = setUp({ users: false });
    await expect(authorise(request({ host: 'localhost' }), 'query')).rejects.toMatchObject({ code: 'unauthorized' });
  });

  test('with users, requests need credentials with the right', async () => {
    const { authorise } = setUp({ listener: 'loopback' });
    await expect(authorise(request({ host: 'localhost' }), 'query')).rejects.toMatchObject({ code: 'unauthorized' });
    const headers = { host: 'localhost', authorization: basic('alice:password') };
    expect((await authorise(request(headers), 'query')).subject).toBe('alice');
    await expect(authorise(request(headers), 'admin')).rejects.toMatchObject({ code: 'forbidden' });
  });
});

describe('a token with a Debusine scope', () => {
  const bound: Principal = { subject: 'farm', debusineScope: 'debian', rights: new Set(['query']) };
  const setting = {
    findToken: (text: string) => (text === 'bound' ? bound : undefined),
    listener: 'loopback',
  } as const;
  const headers = { host: 'localhost', authorization: 'Bearer bound' };
  const pagesOnly = 'this token opens only the pages of Debusine sources';

  test.each(['query', 'ingest', 'admin'] as const)(
    'is refused by routes that need %s, even without users',
    async (right) => {
      for (const users of [true, false]) {
        const { authorise } = setUp({ ...setting, users });
        const refused = { code: 'forbidden', message: expect.stringContaining(pagesOnly) as unknown };
        await expect(authorise({ headers, ip: '127.0.0.1' } as unknown as FastifyRequest, right)).rejects.toMatchObject(
          refused,
        );
      }
    },
  );

  test('is refused by /v2 and by the token endpoint', async () => {
    const { admit, token } = setUp(setting);
    for (const scope of ['base', 'content'] as const) {
      expect(() => admit(headers, '127.0.0.1', scope)).toThrow(expect.objectContaining({ status: 403 }));
      expect(() => admit(headers, '127.0.0.1', scope)).toThrow(pagesOnly);
    }
    expect(await statusOf(token, headers)).toBe(403);
  });
});

describe('a page of sources', () => {
  const bound: Principal = { subject: 'farm', debusineScope: 'debian', rights: new Set(['query']) };
  const sender: Principal = { subject: 'ci', rights: new Set(['ingest']) };
  const findToken = (text: string) =>
    new Map([
      ['bound', bound],
      ['sender', sender],
    ]).get(text);
  const from = (headers: Record<string, string>): FastifyRequest =>
    ({ headers: { host: 'localhost', ...headers }, ip: '127.0.0.1' }) as unknown as FastifyRequest;
  const alice = { authorization: basic('alice:password') };

  test.each<[string, Setting]>([
    ['with users', {}],
    ['without users', { users: false }],
    ['without anonymous pulls', { anonymousPull: false }],
    ['on a loopback listener, under a foreign Host', { users: false, listener: 'loopback' }],
  ])('is open to any client if it is public: %s', async (_, setting) => {
    const { authorisePage } = setUp(setting);
    const principal = await authorisePage(from({ host: 'pull.example.org', 'sec-fetch-site': 'cross-site' }), 'public');
    expect(principal?.rights.has('query')).not.toBe(true);
  });

  test('identifies clients with credentials', async () => {
    const { authorisePage } = setUp({ findToken });
    for (const access of ['public', 'required'] as const) {
      expect(await authorisePage(from(alice), access)).toMatchObject({ subject: 'alice' });
      expect(await authorisePage(from({ authorization: 'Bearer bound' }), access)).toBe(bound);
    }
    expect(await authorisePage(from({ authorization: 'Bearer sender' }), 'public')).toBe(sender);
  });

  test('rejects wrong credentials, also if it is public', async () => {
    const { authorisePage } = setUp({ findToken });
    for (const authorization of ['Bearer other', basic('alice:wrong'), 'Token x', 'Basic !']) {
      for (const access of ['public', 'required'] as const) {
        const refused = authorisePage(from({ authorization }), access);
        await expect(refused).rejects.toMatchObject({ code: 'unauthorized', message: 'these credentials are wrong' });
      }
    }
  });

  test("ignores Debusine's own header for tokens", async () => {
    const { authorisePage } = setUp();
    expect(await authorisePage(from({ token: 'nonsense' }), 'public')).toMatchObject({ subject: 'anonymous' });
  });

  test('needs the right query if access is required', async () => {
    const { authorisePage } = setUp({ findToken, listener: 'loopback' });
    await expect(authorisePage(from({}), 'required')).rejects.toMatchObject({ code: 'unauthorized' });
    const without = authorisePage(from({ authorization: 'Bearer sender' }), 'required');
    await expect(without).rejects.toMatchObject({ code: 'forbidden' });
    const otherSite = authorisePage(from({ ...alice, 'sec-fetch-site': 'cross-site' }), 'required');
    await expect(otherSite).rejects.toMatchObject({ code: 'forbidden' });
  });

  test('is open to this machine without users, also if access is required', async () => {
    const local = setUp({ users: false, listener: 'loopback' }).authorisePage;
    expect((await local(from({}), 'required'))?.rights).toContain('query');
    await expect(local(from({ host: 'rebound.example' }), 'required')).rejects.toMatchObject({ code: 'unauthorized' });
    const open = setUp({ users: false }).authorisePage;
    await expect(open(from({}), 'required')).rejects.toMatchObject({ code: 'unauthorized' });
  });

  test('limits failed logins of an address', async () => {
    const { authorisePage } = setUp();
    const tries = Array.from({ length: 31 }, (_, index) =>
      authorisePage(from({ authorization: basic(`alice:wrong${index}`) }), 'public'),
    );
    expect((await Promise.allSettled(tries)).at(-1)).toMatchObject({
      status: 'rejected',
      reason: { code: 'login_limited' },
    });
  });
});

describe('pages of other sites', () => {
  const local = { users: false, listener: 'loopback' } as const;
  const page = { host: 'evil.example:8080' };
  const misdirected = expect.objectContaining({ kind: 'misdirected', status: 421 });

  test.each<[string, Record<string, string>]>([
    ['a foreign Host', page],
    ['a foreign Host and empty credentials', { ...page, authorization: basic(':') }],
    // A page can add these headers to its requests, so they prove no proxy.
    ['a foreign Host and headers of a proxy', { ...page, 'x-forwarded-for': '192.0.2.1' }],
    ['a foreign Host with X-Forwarded-Host', { ...page, 'x-forwarded-host': 'localhost' }],
  ])('%s may not pull if there are no users', (_title, headers) => {
    const { admit } = setUp(local);
    for (const scope of ['base', 'content'] as const) {
      expect(() => admit(headers, '127.0.0.1', scope)).toThrow(misdirected);
    }
  });

  test.each<[string, Setting, Record<string, string>]>([
    ['a loopback name', local, { host: 'localhost:8080' }],
    ['a client without a Host', local, {}],
    ['the public URL', { ...local, publicUrl: 'https://pull.example.org' }, { host: 'PULL.example.org' }],
    [
      'the public URL with a port',
      { ...local, publicUrl: 'https://pull.example.org' },
      { host: 'pull.example.org:443' },
    ],
    ['any Host on an open listener', { users: false }, page],
    ['any Host if there are users', { listener: 'loopback' }, page],
  ])('%s may pull', async (_title, setting, headers) => {
    expect(await setUp(setting).admit(headers, '127.0.0.1', 'content')).toEqual({ kind: 'anonymous' });
  });

  test('a trusted proxy may pull for a client under any Host', () => {
    const headers = { ...page, 'x-forwarded-for': '192.0.2.1' };
    const socket = { remoteAddress: '127.0.0.1' };
    createForwardedReader(['127.0.0.1'])({ headers, socket } as unknown as IncomingMessage);
    expect(setUp(local).admit(headers, '192.0.2.1', 'content')).toEqual({ kind: 'anonymous' });
  });

  test.each<[string, Record<string, string>, number]>([
    ['a foreign Host', page, 421],
    ['another site', { host: 'localhost', 'sec-fetch-site': 'cross-site' }, 403],
    ['this machine', { host: 'localhost', 'sec-fetch-site': 'same-origin' }, 200],
  ])('%s requests a token: %#', async (_title, headers, status) => {
    const { token } = setUp(local);
    expect(await statusOf(token, headers)).toBe(status);
  });

  test("another site's request is rejected, whatever its credentials", async () => {
    const { admit, authorise } = setUp();
    const headers = { host: 'a', 'sec-fetch-site': 'cross-site', authorization: basic('alice:password') };
    expect(() => admit(headers, '192.0.2.1', 'content', 'a-token')).toThrow(expect.objectContaining({ status: 403 }));
    expect(() => admit(headers, '192.0.2.1', 'base')).toThrow(expect.objectContaining({ status: 403 }));
    const request = { headers, ip: '192.0.2.1' } as unknown as FastifyRequest;
    await expect(authorise(request, 'query')).rejects.toMatchObject({ code: 'forbidden' });
  });

  test.each(['http://evil.example', 'null', 'http://localhost:3000'])('/v2 rejects Origin: %s', (origin) => {
    const { admit } = setUp(local);
    const refused = expect.objectContaining({ status: 403 });
    expect(() => admit({ host: 'localhost:8080', origin }, '127.0.0.1', 'content')).toThrow(refused);
  });

  test("/v2 accepts the server's own Origin", () => {
    const headers = { host: 'localhost:8080', origin: 'http://LOCALHOST:8080' };
    expect(setUp(local).admit(headers, '127.0.0.1', 'content')).toEqual({ kind: 'anonymous' });
  });

  test('requests from pages of this server and of the same site are accepted', async () => {
    const { authorise } = setUp(local);
    for (const site of ['same-origin', 'same-site', 'none']) {
      const request = { headers: { host: 'localhost', 'sec-fetch-site': site }, ip: '127.0.0.1' };
      expect((await authorise(request as unknown as FastifyRequest, 'query')).subject).toBe('anonymous');
    }
  });
});
