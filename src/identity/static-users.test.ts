import { describe, expect, test } from 'vitest';
import { limits, systemClock, systemRandom, TonnageError } from '../base/index.ts';
import { createStaticUsers, type StaticUser } from './static-users.ts';
import { cheapHash, collectingLog } from './testing/fixtures.ts';

const waveHash = 'sha256:fcde2b2edba56bf408601fb721fe9b5c338d10ee429ea04fae5511b68fbf8fb9'; // of "bar"

function usersOf(...users: Partial<StaticUser>[]) {
  const log = collectingLog();
  const full = users.map((user): StaticUser => ({ name: 'alice', passwordHash: waveHash, rights: ['pull'], ...user }));
  return { log, users: createStaticUsers({ users: full, log, random: systemRandom }) };
}

const login = (user: string, password: string) => ({ scheme: 'basic', user, password }) as const;

describe('a login', () => {
  const { users } = usersOf(
    { name: 'alice', passwordHash: cheapHash('secret'), email: 'Alice@Example.org', rights: ['pull', 'query'] },
    { name: 'foo' },
    { name: 'bound', email: 'a@b.example', org: 'c.example' },
  );

  test('with the right password gives the principal', async () => {
    expect(await users.authenticate(login('alice', 'secret'))).toEqual({
      subject: 'alice',
      email: 'Alice@Example.org',
      org: 'example.org',
      rights: new Set(['pull', 'query']),
    });
    expect(await users.authenticate(login('foo', 'bar'))).toEqual({ subject: 'foo', rights: new Set(['pull']) });
    expect(await users.authenticate(login('bound', 'bar'))).toMatchObject({ email: 'a@b.example', org: 'c.example' });
  });

  test.each([
    ['alice', 'Secret'],
    ['alice', 'bar'],
    ['Alice', 'secret'],
    ['nobody', 'secret'],
    ['foo', 'baz'],
    ['__proto__', 'x'],
    ['', 'secret'],
  ])('as %j with %j is refused', async (user, password) => {
    expect(await users.authenticate(login(user, password))).toBeUndefined();
  });

  test('without a password, or with a token, is not handled', () => {
    expect(users.authenticate(login('alice', ''))).toBeUndefined();
    expect(users.authenticate({ scheme: 'bearer', token: 'secret' })).toBeUndefined();
  });
});

test('each sha256 hash causes one warning, and no hash is logged', () => {
  const { log } = usersOf({ name: 'a' }, { name: 'b', passwordHash: cheapHash('x') }, { name: 'c' });
  expect(log.lines.map(({ level, fields }) => [level, fields])).toEqual([
    ['warn', { user: 'a' }],
    ['warn', { user: 'c' }],
  ]);
  expect(JSON.stringify(log.lines)).not.toContain('fcde2b2e');
});

test.each([
  [{ passwordHash: 'secret' }, 'users.alice.passwordHash: expected a password hash'],
  [{ email: 'alice' }, 'users.alice.email: expected an e-mail address'],
  [{ email: 'alice', org: 'example.org' }, 'users.alice.email: expected an e-mail address'],
  [{ org: 'Example.org' }, 'users.alice.org: expected an organisation'],
])('%j is not a valid user', (user, message) => {
  expect(() => usersOf(user)).toThrow(TonnageError);
  expect(() => usersOf(user)).toThrow(message);
  expect(() => usersOf(user)).not.toThrow(/secret/);
});

test('an unknown user takes as long as a known one', async () => {
  // The known user's hash is cheap, so the time of an unknown user is that of the decoy.
  const { users } = usersOf({ passwordHash: cheapHash('secret') });
  const time = async (user: string): Promise<number> => {
    const start = systemClock.monotonic();
    await users.authenticate(login(user, 'wrong'));
    return systemClock.monotonic() - start;
  };
  await time('nobody');
  expect(await time('nobody')).toBeGreaterThan(10);
});

test('a flood of logins is limited and ends', async () => {
  const { users } = usersOf({ passwordHash: cheapHash('secret') });
  const room = limits.passwordChecksMax + limits.passwordChecksWaitingMax;
  const results = await Promise.all(
    Array.from({ length: room + 5 }, async () => users.authenticate(login('alice', 'secret'))),
  );
  expect(results.filter((result) => result === 'busy')).toHaveLength(5);
  expect(results.filter((result) => typeof result === 'object')).toHaveLength(room);
});
