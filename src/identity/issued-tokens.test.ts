import { beforeEach, describe, expect, test } from 'vitest';
import { limits, systemRandom } from '../base/index.ts';
import { createApiTokens } from './api-tokens.ts';
import type { Credential } from './authorization.ts';
import { IssuedTokens, type StoredToken, type TokenStore } from './issued-tokens.ts';
import { createPathTokens } from './path-tokens.ts';
import { collectingLog, HandClock } from './testing/fixtures.ts';
import { tokenText } from './token-text.ts';

/** Generous, for a busy machine. */
const patience = { timeout: 60_000 };

/** Stores tokens in memory and records calls. */
class Shelf implements TokenStore {
  readonly kept = new Map<string, StoredToken>();
  readonly uses: { readonly id: string; readonly at: number }[] = [];
  isBroken = false;

  all(): Promise<readonly StoredToken[]> {
    return Promise.resolve([...this.kept.values()]);
  }

  add(token: StoredToken): Promise<void> {
    if (this.isBroken) return Promise.reject(new Error('the disk is full'));
    this.kept.set(token.id, token);
    return Promise.resolve();
  }

  remove(id: string): Promise<void> {
    this.kept.delete(id);
    return Promise.resolve();
  }

  used(times: readonly { readonly id: string; readonly at: number }[]): Promise<void> {
    if (this.isBroken) return Promise.reject(new Error('the disk is full'));
    this.uses.push(...times);
    return Promise.resolve();
  }
}

let clock: HandClock;
let shelf: Shelf;
let log: ReturnType<typeof collectingLog>;
beforeEach(() => {
  clock = new HandClock();
  shelf = new Shelf();
  log = collectingLog();
});
const open = (): Promise<IssuedTokens> => IssuedTokens.open({ store: shelf, clock, random: systemRandom, log });

test('a token identifies its principal, before and after a restart', async () => {
  const request = { kind: 'api', name: 'ci', email: 'ci@a.org', scope: ['lab/a/*'], rights: ['query'] } as const;
  const { token, id } = await (await open()).create(request);
  const holder = { subject: 'ci', email: 'ci@a.org', org: 'a.org', scope: ['lab/a/*'], rights: new Set(['query']) };
  for (const tokens of [await open(), await open()]) {
    expect(tokens.find('api', token)).toEqual(holder);
    expect(await tokens.list()).toMatchObject([{ id, kind: 'api', org: 'a.org' }]);
  }
});

test('a token with a Debusine scope has no right but query, whatever was stored', async () => {
  const { token, id } = await (await open()).create({ kind: 'api', debusineScope: 'we"ird\\scope' });
  const stored = shelf.kept.get(id);
  if (stored) shelf.kept.set(id, { ...stored, rights: ['pull', 'query', 'admin'] });
  const tokens = await open();
  const holder = { subject: `token-${id}`, debusineScope: 'we"ird\\scope', rights: new Set(['query']) };
  expect(tokens.find('api', token)).toEqual(holder);
  expect(await tokens.list()).toMatchObject([{ id, debusineScope: 'we"ird\\scope', rights: ['query'] }]);
});

test('the stored data does not contain the token', async () => {
  const { token } = await (await open()).create({ kind: 'path', org: 'a.org' });
  const kept = JSON.stringify([...shelf.kept.values()].map((each) => ({ ...each, hash: [...each.hash] })));
  expect(kept).not.toContain(token.slice('tng_path_'.length, 30));
  expect([...shelf.kept.values()][0]?.hash).toHaveLength(32);
});

test('a token is valid only for its kind, and without a name its id is the subject', async () => {
  const tokens = await open();
  const api = await tokens.create({ kind: 'api' });
  const path = await tokens.create({ kind: 'path' });
  expect(tokens.find('path', api.token)).toBeUndefined();
  expect(tokens.find('api', path.token)).toBeUndefined();
  expect(tokens.find('path', path.token)?.subject).toBe(`token-${path.id}`);
});

test('a revoked token is invalid at once, and so is its principal', async () => {
  const tokens = await open();
  const { token, id } = await tokens.create({ kind: 'api' });
  const holder = tokens.find('api', token);
  expect(holder && tokens.isValid(holder)).toBe(true);
  expect(tokens.hasApiTokens).toBe(true);
  await tokens.revoke(id);
  expect(tokens.find('api', token)).toBeUndefined();
  expect(holder && tokens.isValid(holder)).toBe(false);
  expect(tokens.hasApiTokens).toBe(false);
  expect([await tokens.list(), shelf.kept.size]).toEqual([[], 0]);
  await expect(tokens.revoke(id)).rejects.toThrow('id: expected the id of a token');
});

test('revoking one token concurrently removes one token', async () => {
  const tokens = await open();
  await tokens.create({ kind: 'api', name: 'other' });
  const { id } = await tokens.create({ kind: 'api' });
  await Promise.all([tokens.revoke(id), tokens.revoke(id), tokens.revoke(id)]);
  expect(await tokens.list()).toMatchObject([{ name: 'other' }]);
  expect(tokens.hasApiTokens).toBe(true);
});

test('a token expires and is still listed', async () => {
  const tokens = await open();
  const { token } = await tokens.create({ kind: 'api', expiresAt: clock.now() + 1_000 });
  const holder = tokens.find('api', token);
  clock.forward(999);
  expect(tokens.find('api', token)).toBe(holder);
  clock.forward(1);
  expect(tokens.find('api', token)).toBeUndefined();
  expect(holder && tokens.isValid(holder)).toBe(false);
  expect(await tokens.list()).toHaveLength(1);
});

test('uses are stored at most once an hour', async () => {
  const tokens = await open();
  const { token, id } = await tokens.create({ kind: 'api' });
  const first = clock.now();
  for (let i = 0; i < 100; i++) tokens.find('api', token);
  clock.forward(limits.tokenUsedEveryMs);
  tokens.find('api', token);
  await expect
    .poll(() => shelf.uses, patience)
    .toEqual([
      { id, at: first },
      { id, at: first + limits.tokenUsedEveryMs },
    ]);
});

test('a failure to store a use does not fail the request', async () => {
  const tokens = await open();
  const { token } = await tokens.create({ kind: 'api' });
  shelf.isBroken = true;
  expect(tokens.find('api', token)).toBeDefined();
  await expect.poll(() => log.lines.map(({ message }) => message), patience).toHaveLength(1);
});

test('a token that cannot be stored is not issued', async () => {
  const tokens = await open();
  shelf.isBroken = true;
  await expect(tokens.create({ kind: 'api' })).rejects.toThrow('the disk is full');
  expect(await tokens.list()).toEqual([]);
});

describe('credentials', () => {
  test('an API token is a bearer token, and the password of any user', async () => {
    const tokens = await open();
    const { token } = await tokens.create({ kind: 'api', org: 'a.org' });
    const authenticate = (credential: Credential) => createApiTokens(tokens).authenticate(credential);
    const holder = tokens.find('api', token);
    expect(authenticate({ scheme: 'bearer', token })).toBe(holder);
    expect(authenticate({ scheme: 'basic', user: 'anybody', password: token })).toBe(holder);
    expect(authenticate({ scheme: 'basic', user: token, password: 'x' })).toBeUndefined();
    expect(authenticate({ scheme: 'bearer', token: 'a.b.c' })).toBeUndefined();
    expect(authenticate({ scheme: 'bearer', token: `${token}a` })).toBe('wrong');
  });

  test('a path token is valid only in a path', async () => {
    const tokens = await open();
    const { token } = await tokens.create({ kind: 'path', org: 'a.org' });
    const pathTokens = createPathTokens(tokens);
    expect(pathTokens(token)).toMatchObject({ org: 'a.org', rights: new Set(['pull']) });
    expect(pathTokens(token.replace(/.$/, (last) => (last === 'a' ? 'b' : 'a')))).toBe('mistyped');
    expect(pathTokens('b6ymvmr5e7kl')).toBeUndefined();
    expect(pathTokens(tokenText('path', new Uint8Array(32)))).toBeUndefined();
    // Does not reveal whether the API token exists.
    const { token: api } = await tokens.create({ kind: 'api' });
    expect([api, tokenText('api', new Uint8Array(32))].map(pathTokens)).toEqual(['api', 'api']);
    expect(createApiTokens(tokens).authenticate({ scheme: 'bearer', token })).toBe('wrong');
  });
});
