import { describe, expect, test } from 'vitest';
import { systemRandom } from '../base/index.ts';
import type { CheckVerdict } from './authenticator.ts';
import { IssuedTokens, type StoredToken } from './issued-tokens.ts';
import { collectingLog, HandClock } from './testing/fixtures.ts';
import { withPlatform } from './token-owner.ts';

const alice = {
  subject: 'alice@a.org',
  email: 'alice@a.org',
  org: 'a.org',
  rights: new Set(['pull', 'query'] as const),
};

/** Creates tokens with a Platform that returns `verdict`, and returns all that is stored. */
async function open(verdict: CheckVerdict | Error) {
  const stored: StoredToken[] = [];
  const asked: unknown[] = [];
  const issued = await IssuedTokens.open({
    store: {
      all: () => Promise.resolve([]),
      add: (token) => Promise.resolve(void stored.push(token)),
      remove: () => Promise.resolve(),
      used: () => Promise.resolve(),
    },
    clock: new HandClock(),
    random: systemRandom,
    log: collectingLog(),
  });
  const manager = withPlatform(issued, {
    kind: 'check',
    authenticate(credential) {
      asked.push(credential);
      return verdict instanceof Error ? Promise.reject(verdict) : Promise.resolve(verdict);
    },
  });
  return { manager, issued, stored, asked };
}

const wish = { kind: 'path', platformToken: 'eyJ0aWQ' } as const;

test.each([[alice], [{ principal: alice, validForMs: 1_000 }]])(
  'a path token is of whoever the Platform says, for pulling only',
  async (verdict) => {
    const { manager, issued, stored, asked } = await open(verdict);
    const { token } = await manager.create(wish);
    expect(issued.find('path', token)).toEqual({ ...alice, rights: new Set(['pull']) });
    expect(asked).toEqual([{ scheme: 'bearer', token: wish.platformToken }]);
    expect(JSON.stringify(stored)).not.toContain(wish.platformToken);
  },
);

test('an owner without an organisation pulls for none', async () => {
  const { manager } = await open({ subject: 'bob', rights: new Set(['pull'] as const) });
  const made = await manager.create(wish);
  expect([made.name, made.email, made.org]).toEqual(['bob', undefined, undefined]);
});

describe('no token is created', () => {
  test.each<[string, CheckVerdict | Error, object, string]>([
    ['for a token that the Platform does not know', undefined, {}, 'platformToken: expected an access token that'],
    ['for one that is nobody in particular', 'anonymous', {}, 'platformToken: expected an access token that'],
    ['while the Platform does not say', 'unknown', {}, 'so this token cannot be checked; try again'],
    ['while too many ask', 'busy', {}, 'so this token cannot be checked; try again'],
    ['while it fails', new Error('it is down'), {}, 'it is down'],
    ['for an API', alice, { kind: 'api' }, 'platformToken: expected a path token'],
    [
      'with an e-mail address of the client',
      alice,
      { email: 'eve@b.org' },
      'platformToken: expected neither email nor',
    ],
    ['with an organisation of the client', alice, { org: 'b.org' }, 'platformToken: expected neither email nor org'],
  ])('%s', async (_, verdict, more, message) => {
    const { manager, stored } = await open(verdict);
    await expect(manager.create({ ...wish, ...more })).rejects.toThrow(message);
    expect(stored).toEqual([]);
  });

  test('if no Platform is configured or no server is running', async () => {
    const { issued } = await open(alice);
    await expect(withPlatform(issued, undefined).create(wish)).rejects.toThrow('a server with identity.platform');
    await expect(issued.create(wish)).rejects.toThrow('platformToken: expected a running server');
  });
});
