import { beforeEach, describe, expect, test } from 'vitest';
import { limits, systemRandom } from '../base/index.ts';
import { createApiTokens } from './api-tokens.ts';
import type { Credential } from './authorization.ts';
import { IssuedTokens, type KeptToken, type TokenKeeper } from './issued-tokens.ts';
import { createPathTokens } from './path-tokens.ts';
import { collectingLog, HandClock } from './testing/fixtures.ts';
import { tokenText } from './token-text.ts';

/** As long as a busy machine may take. */
const patience = { timeout: 60_000 };

/** Keeps tokens in memory, and says what it was told. */
class Shelf implements TokenKeeper {
  readonly kept = new Map<string, KeptToken>();
  readonly uses: { readonly id: string; readonly at: number }[] = [];
  isBroken = false;

  all(): Promise<readonly KeptToken[]> {
    return Promise.resolve([...this.kept.values()]);
  }

  add(token: KeptToken): Promise<void> {
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
const open = (): Promise<IssuedTokens> => IssuedTokens.open({ keeper: shelf, clock, random: systemRandom, log });

test('a token stands for its holder, before and after a restart', async () => {
  const wish = { kind: 'api', name: 'ci', email: 'ci@a.org', scope: ['lab/a/*'], rights: ['query'] } as const;
  const { token, id } = await (await open()).create(wish);
  const holder = { subject: 'ci', email: 'ci@a.org', org: 'a.org', scope: ['lab/a/*'], rights: new Set(['query']) };
  for (const tokens of [await open(), await open()]) {
    expect(tokens.find('api', token)).toEqual(holder);
    expect(await tokens.list()).toMatchObject([{ id, kind: 'api', org: 'a.org' }]);
  }
});

test('what is kept is not the token', async () => {
  const { token } = await (await open()).create({ kind: 'path', org: 'a.org' });
  const kept = JSON.stringify([...shelf.kept.values()].map((each) => ({ ...each, hash: [...each.hash] })));
  expect(kept).not.toContain(token.slice('tng_path_'.length, 30));
  expect([...shelf.kept.values()][0]?.hash).toHaveLength(32);
});

test('kinds are not taken for each other, and a holder without a name has the id for one', async () => {
  const tokens = await open();
  const api = await tokens.create({ kind: 'api' });
  const path = await tokens.create({ kind: 'path' });
  expect(tokens.find('path', api.token)).toBeUndefined();
  expect(tokens.find('api', path.token)).toBeUndefined();
  expect(tokens.find('path', path.token)?.subject).toBe(`token-${path.id}`);
});

test('a revoked token opens nothing, at once, and its holder is good no more', async () => {
  const tokens = await open();
  const { token, id } = await tokens.create({ kind: 'api' });
  const holder = tokens.find('api', token);
  expect(holder && tokens.isGood(holder)).toBe(true);
  expect(tokens.hasApiTokens).toBe(true);
  await tokens.revoke(id);
  expect(tokens.find('api', token)).toBeUndefined();
  expect(holder && tokens.isGood(holder)).toBe(false);
  expect(tokens.hasApiTokens).toBe(false);
  expect([await tokens.list(), shelf.kept.size]).toEqual([[], 0]);
  await expect(tokens.revoke(id)).rejects.toThrow('id: expected the id of a token');
});

test('a token that several revoke at the same time is one token less', async () => {
  const tokens = await open();
  await tokens.create({ kind: 'api', name: 'other' });
  const { id } = await tokens.create({ kind: 'api' });
  await Promise.all([tokens.revoke(id), tokens.revoke(id), tokens.revoke(id)]);
  expect(await tokens.list()).toMatchObject([{ name: 'other' }]);
  expect(tokens.hasApiTokens).toBe(true);
});

test('a token ends when its time is over, and is still listed', async () => {
  const tokens = await open();
  const { token } = await tokens.create({ kind: 'api', expiresAt: clock.now() + 1_000 });
  const holder = tokens.find('api', token);
  clock.forward(999);
  expect(tokens.find('api', token)).toBe(holder);
  clock.forward(1);
  expect(tokens.find('api', token)).toBeUndefined();
  expect(holder && tokens.isGood(holder)).toBe(false);
  expect(await tokens.list()).toHaveLength(1);
});

test('uses are noted at most once an hour', async () => {
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

test('a use that cannot be noted does not stop anybody', async () => {
  const tokens = await open();
  const { token } = await tokens.create({ kind: 'api' });
  shelf.isBroken = true;
  expect(tokens.find('api', token)).toBeDefined();
  await expect.poll(() => log.lines.map(({ message }) => message), patience).toHaveLength(1);
});

test('a token that could not be kept is not given out', async () => {
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

  test('a path token is one in the path alone', async () => {
    const tokens = await open();
    const { token } = await tokens.create({ kind: 'path', org: 'a.org' });
    const pathTokens = createPathTokens(tokens);
    expect(pathTokens(token)).toMatchObject({ org: 'a.org', rights: new Set(['pull']) });
    expect(pathTokens(token.replace(/.$/, (last) => (last === 'a' ? 'b' : 'a')))).toBe('mistyped');
    expect(pathTokens('b6ymvmr5e7kl')).toBeUndefined();
    expect(pathTokens(tokenText('path', new Uint8Array(32)))).toBeUndefined();
    // Whether there is such an API token is not said.
    const { token: api } = await tokens.create({ kind: 'api' });
    expect([api, tokenText('api', new Uint8Array(32))].map(pathTokens)).toEqual(['api', 'api']);
    expect(createApiTokens(tokens).authenticate({ scheme: 'bearer', token })).toBe('wrong');
  });
});
