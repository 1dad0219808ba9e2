import {
  CompactSign,
  exportJWK,
  exportSPKI,
  generateKeyPair,
  SignJWT,
  UnsecuredJWT,
  type JWK,
  type JWTPayload,
} from 'jose';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { limits } from '../base/index.ts';
import { MetricSet } from '../metric/index.ts';
import { oidcInstruments } from './metrics.ts';
import { createOidc, type OidcIssuer } from './oidc.ts';
import { collectingLog, HandClock } from './testing/fixtures.ts';
import { json, startJsonServer, type JsonServer } from './testing/json-server.ts';

/** A real server with the issuer's discovery document and its keys, which change. */
interface SigningKey {
  readonly alg: string;
  readonly kid: string;
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
  readonly jwk: JWK;
}

async function keyOf(alg: string, kid: string): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg);
  return { alg, kid, privateKey, publicKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } };
}

let rsa: SigningKey;
let ec: SigningKey;
let ed: SigningKey;
let stranger: SigningKey;
beforeAll(async () => {
  [rsa, ec, ed, stranger] = await Promise.all([
    keyOf('RS256', 'rsa-1'),
    keyOf('ES256', 'ec-1'),
    keyOf('EdDSA', 'ed-1'),
    keyOf('RS256', 'rsa-1'),
  ]);
});

let server: JsonServer;
let published: readonly JWK[];
let isDown: boolean;
let clock: HandClock;
let log: ReturnType<typeof collectingLog>;
beforeEach(async () => {
  server = await startJsonServer();
  published = [rsa.jwk, ec.jwk, ed.jwk];
  isDown = false;
  server.answer(({ url }) => {
    if (isDown) return json({}, 500);
    if (url === '/.well-known/openid-configuration')
      return json({ issuer: server.url, jwks_uri: `${server.url}/keys` });
    return url === '/keys' ? json({ keys: published }) : json({}, 404);
  });
  clock = new HandClock();
  log = collectingLog();
});
afterEach(() => server.close());

function oidc(more: Partial<OidcIssuer> = {}) {
  const issuer: OidcIssuer = {
    issuer: server.url,
    audience: ['tonnage'],
    emailClaim: 'email',
    rights: ['pull', 'query'],
    ...more,
  };
  return createOidc({ issuers: [issuer], clock, fetches: oidcInstruments(new MetricSet()), log });
}

const seconds = (): number => Math.floor(clock.now() / 1000);

function claims(more: JWTPayload = {}): JWTPayload {
  return { iss: server.url, aud: 'tonnage', sub: 'u-1', exp: seconds() + 300, email: 'ann@example.org', ...more };
}

function without(claim: string): JWTPayload {
  return Object.fromEntries(Object.entries(claims()).filter(([name]) => name !== claim));
}

function sign(payload: JWTPayload, { alg, kid, privateKey }: SigningKey = rsa): Promise<string> {
  return new SignJWT(payload).setProtectedHeader({ alg, kid }).sign(privateKey);
}

/** Signs claims of any shape. */
function signText(payload: string, { alg, kid, privateKey }: SigningKey = rsa): Promise<string> {
  return new CompactSign(new TextEncoder().encode(payload)).setProtectedHeader({ alg, kid }).sign(privateKey);
}

const show = (token: string, authenticator = oidc()) => authenticator.authenticate({ scheme: 'bearer', token });
const ann = {
  subject: 'ann@example.org',
  email: 'ann@example.org',
  org: 'example.org',
  rights: new Set(['pull', 'query']),
};
const keyFetches = (): number => server.requests.filter(({ url }) => url === '/keys').length;

describe('a valid token', () => {
  test('identifies its subject until it expires, with any kind of key', async () => {
    for (const key of [rsa, ec, ed]) {
      expect(await show(await sign(claims(), key))).toEqual({ principal: ann, validForMs: 300_000 });
    }
  });

  test('is accepted as the password with any user name', async () => {
    const password = await sign(claims());
    expect(await oidc().authenticate({ scheme: 'basic', user: 'x', password })).toMatchObject({ principal: ann });
  });

  test('may have several audiences', async () => {
    expect(await show(await sign(claims({ aud: ['other', 'tonnage'] })))).toMatchObject({ principal: ann });
    const several = oidc({ audience: ['a', 'tonnage'] });
    expect(await show(await sign(claims()), several)).toMatchObject({ principal: ann });
  });

  test('tolerates small clock differences', async () => {
    expect(await show(await sign(claims({ exp: seconds() - 10 })))).toMatchObject({
      principal: ann,
      validForMs: -10_000,
    });
    expect(await show(await sign(claims({ nbf: seconds() + 10 })))).toMatchObject({ principal: ann });
  });

  const pullOnly = new Set(['pull']);
  test.each<[string, JWTPayload, Partial<OidcIssuer>, object]>([
    ['a verified address', { email_verified: true }, {}, { org: 'example.org' }],
    ['an address that is not verified', { email_verified: false }, {}, { subject: 'u-1', rights: pullOnly }],
    ['one that is not, as a text', { email_verified: 'false' }, {}, { subject: 'u-1', rights: pullOnly }],
    ['no address', { email: undefined }, {}, { subject: 'u-1', rights: pullOnly }],
    ['an address in another claim', { upn: 'bob@corp.example' }, { emailClaim: 'upn' }, { org: 'corp.example' }],
    [
      'an organisation of its own',
      { tenant: 'Acme' },
      { orgClaim: 'tenant' },
      { org: 'acme', email: 'ann@example.org' },
    ],
    ['an organisation that is none', { tenant: 'a b' }, { orgClaim: 'tenant' }, { rights: pullOnly }],
    ['no organisation where a claim should say', {}, { orgClaim: 'tenant' }, { rights: pullOnly }],
    ['further rights', {}, { rights: ['ingest'] }, { rights: new Set(['ingest']) }],
  ])('with %s', async (_what, more, issuer, expected) => {
    const verdict = await show(await sign(claims(more)), oidc(issuer));
    expect(verdict).toMatchObject({ principal: expected });
    const { principal } = verdict as { principal: { org?: string; rights: ReadonlySet<string> } };
    // A principal without organisation would see all usage, so it may not query.
    expect(principal.org !== undefined || !principal.rights.has('query')).toBe(true);
  });
});

describe('a token that is wrong', () => {
  const flipped = (token: string): string =>
    `${token.slice(0, -10)}${token.at(-10) === 'A' ? 'B' : 'A'}${token.slice(-9)}`;
  test.each<[string, () => Promise<string>]>([
    ['it has expired', () => sign(claims({ exp: seconds() - 31 }))],
    ['it is not good yet', () => sign(claims({ nbf: seconds() + 31 }))],
    ['it never ends', () => sign(without('exp'))],
    ['it is for somebody else', () => sign(claims({ aud: 'other' }))],
    ['it is for nobody', () => sign(without('aud'))],
    ['it names nobody', () => sign(without('sub'))],
    ['it names nobody, with an empty text', () => sign(claims({ sub: '', email: undefined }))],
    ['it names somebody by a number', () => signText(JSON.stringify({ ...claims({ email: undefined }), sub: 7 }))],
    ['another key has signed it', () => sign(claims(), stranger)],
    ['its signature is changed', async () => flipped(await sign(claims()))],
    [
      'its claims are changed',
      async () => {
        const [header, , signature] = (await sign(claims())).split('.');
        return `${header}.${Buffer.from(JSON.stringify(claims({ email: 'eve@other.example' }))).toString('base64url')}.${signature}`;
      },
    ],
    ['it is not signed', () => Promise.resolve(new UnsecuredJWT(claims()).encode())],
    [
      'it says alg none over a good signature',
      async () => {
        const [, payload, signature] = (await sign(claims())).split('.');
        return `${Buffer.from('{"alg":"none","kid":"rsa-1"}').toString('base64url')}.${payload}.${signature}`;
      },
    ],
    [
      'it is signed with the public key as a secret',
      async () => {
        const secret = Buffer.from(await exportSPKI(rsa.publicKey));
        return new SignJWT(claims()).setProtectedHeader({ alg: 'HS256', kid: 'rsa-1' }).sign(secret);
      },
    ],
    [
      'it brings its own key',
      async () => {
        const { privateKey, jwk } = stranger;
        return new SignJWT(claims()).setProtectedHeader({ alg: 'RS256', jwk, kid: 'own' }).sign(privateKey);
      },
    ],
  ])('%s', async (_what, make) => {
    expect(await show(await make())).toBe('wrong');
  });

  test.each([
    ['another issuer', () => sign(claims({ iss: 'https://elsewhere.example' }))],
    ['no token', () => Promise.resolve('just-some-text')],
    ['something like one', () => Promise.resolve('a.b.c')],
  ])('%s: another authenticator may know it', async (_what, make) => {
    expect(show(await make())).toBeUndefined();
    expect(server.requests).toHaveLength(0);
  });
});

describe('the keys of an issuer', () => {
  test('are fetched once for concurrent tokens', async () => {
    const authenticator = oidc();
    const token = await sign(claims());
    await Promise.all(Array.from({ length: 20 }, async () => show(token, authenticator)));
    expect(keyFetches()).toBe(1);
  });

  test('are fetched from the configured URL', async () => {
    await show(await sign(claims()), oidc({ jwksUrl: `${server.url}/keys` }));
    expect(server.requests.map(({ url }) => url)).toEqual(['/keys']);
  });

  test('rotate: a new key is fetched, and the old one is removed', async () => {
    const authenticator = oidc();
    const old = await sign(claims({ exp: seconds() + 3_600 }));
    await show(old, authenticator);
    const next = await keyOf('ES256', 'ec-2');
    published = [next.jwk];
    clock.forward(limits.oidcRetryMs);
    expect(await show(await sign(claims(), next), authenticator)).toMatchObject({ principal: ann });
    expect(await show(old, authenticator)).toBe('wrong');
    expect(keyFetches()).toBe(2);
  });

  test('are not fetched for each invented key', async () => {
    const authenticator = oidc();
    await show(await sign(claims()), authenticator);
    for (let index = 0; index < 20; index++) {
      const madeUp = { ...stranger, kid: `made-up-${index}` };
      expect(await show(await sign(claims(), madeUp), authenticator)).toBe('wrong');
    }
    expect(keyFetches()).toBe(1);
  });

  test('stay valid while the issuer is down; a new key is then unavailable', async () => {
    const authenticator = oidc();
    await show(await sign(claims()), authenticator);
    isDown = true;
    clock.forward(limits.oidcKeysMs);
    expect(await show(await sign(claims()), authenticator)).toMatchObject({ principal: ann });
    const next = await keyOf('ES256', 'ec-2');
    await expect(show(await sign(claims(), next), authenticator)).rejects.toMatchObject({
      code: 'identity_unavailable',
    });
    isDown = false;
    published = [next.jwk];
    clock.forward(limits.oidcRetryMs);
    expect(await show(await sign(claims(), next), authenticator)).toMatchObject({ principal: ann });
  });

  test('that are unusable fail the request, and the log states the reason', async () => {
    published = [{ ...rsa.jwk, n: rsa.jwk.n?.slice(0, 86) ?? '' }];
    await expect(show(await sign(claims()))).rejects.toMatchObject({ code: 'identity_unavailable' });
    expect(log.lines).toMatchObject([{ level: 'warn', message: 'a key of a token issuer is unusable' }]);
  });

  test.each<[string, () => void]>([
    ['the issuer is down', () => (isDown = true)],
    [
      'its document is of another issuer',
      () => server.answer(() => json({ issuer: 'https://x.example', jwks_uri: `${server.url}/keys` })),
    ],
    ['its document names no keys', () => server.answer(() => json({ issuer: server.url }))],
    [
      'its keys are none',
      () =>
        server.answer(({ url }) =>
          url === '/keys' ? json({ keys: 5 }) : json({ issuer: server.url, jwks_uri: `${server.url}/keys` }),
        ),
    ],
    ['it hangs up', () => server.answer(() => 'breaks')],
  ])('are unavailable, because %s: the request fails, and the log states the reason', async (_why, arrange) => {
    arrange();
    await expect(show(await sign(claims()))).rejects.toMatchObject({ code: 'identity_unavailable' });
    expect(log.lines).toMatchObject([{ level: 'warn', message: 'fetching the keys of a token issuer failed' }]);
  });
});
