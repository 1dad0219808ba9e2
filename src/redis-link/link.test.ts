import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { connectTestLink, openTestLink } from '../../test/support/redis-link.ts';
import { suiteRedis } from '../../test/support/redis-suite.ts';
import { eventually, startRedis } from '../../test/support/redis.ts';

const redis = suiteRedis({
  maxMemory: '60mb',
  maxMemoryPolicy: 'noeviction',
  users: [
    'plain on >hunter2 ~* +@all -config -ping',
    'mute on >hunter2 ~* +get',
    'reader on >hunter2 ~open:* +@all -@dangerous',
  ],
});

const standalone = (url = redis.server.url) => ({ mode: 'standalone', url }) as const;
const increment = { name: 'increment', source: `return redis.call('INCRBY', KEYS[1], ARGV[1])` };

describe('commands', () => {
  it('send and receive UTF-8, also in field names, and strings that look like numbers', async () => {
    const { link } = await connectTestLink(standalone());
    const fields = ['pulls/o/bücher.example/d/2026-11-21', '1', '日本', '9007199254740993', '🚢', '007', 'empty', ''];
    expect(await link.send({ args: ['HSET', 'utf8', ...fields], key: 'utf8' })).toBe(4);
    expect(await link.send({ args: ['HMGET', 'utf8', '日本', '🚢', 'empty', 'none'] })).toEqual([
      '9007199254740993',
      '007',
      '',
      null,
    ]);
  });

  it('in a pipeline resolve in order, or reject with the first error after all have ended', async () => {
    const { link } = await connectTestLink(standalone());
    const increments = Array.from({ length: 1_000 }, () => ({ args: ['INCR', 'pipelined'], key: 'pipelined' }));
    expect(await link.pipeline(increments)).toEqual(increments.map((_, index) => index + 1));
    await link.send({ args: ['SET', 'text', 'x'] });
    const broken = [...increments.slice(0, 5), { args: ['INCR', 'text'] }, ...increments.slice(0, 5)];
    await expect(link.pipeline(broken)).rejects.toMatchObject({ code: 'redis_refused' });
    expect(await link.send({ args: ['GET', 'pipelined'] })).toBe('1010');
    expect(await link.pipeline([])).toEqual([]);
  });

  it('with an integer reply beyond 2^53 reject instead of rounding it', async () => {
    const { link } = await connectTestLink(standalone());
    await link.send({ args: ['SET', 'large', '9007199254740991'] });
    await expect(link.send({ args: ['INCR', 'large'] })).rejects.toMatchObject({
      code: 'redis_refused',
      message: expect.stringContaining('beyond 2^53'),
    });
    expect(await link.send({ args: ['GET', 'large'] })).toBe('9007199254740992');
  });

  it('with a reply of 20 MB take less than a second', async () => {
    const { link } = await connectTestLink(standalone());
    const names = Array.from({ length: 5_000 }, (_, index) => `field-${index}`);
    await link.send({ args: ['HSET', 'wide', ...names.flatMap((name) => [name, name.padEnd(4_000, '.')])] });
    const tookMs = async () => {
      const began = performance.now();
      const reply = await link.send({ args: ['HMGET', 'wide', ...names] });
      const took = performance.now() - began;
      expect(reply).toEqual(names.map((name) => name.padEnd(4_000, '.')));
      return took;
    };
    // 50 ms on an idle machine. On a busy one, one of several attempts is fast.
    await eventually('the reply is fast', async () => (await tookMs()) < 1_000);
    await link.send({ args: ['UNLINK', 'wide'] });
  });

  it("that Redis refuses reject with Redis's own message", async () => {
    const { link } = await connectTestLink(standalone());
    await link.send({ args: ['SET', 'word', 'x'] });
    await expect(link.send({ args: ['HGET', 'word', 'f'] })).rejects.toMatchObject({
      code: 'redis_refused',
      message: expect.stringMatching(/^Redis answered HGET with: WRONGTYPE /),
    });
  });

  it('that need more memory than Redis has are refused, and reads still work', async () => {
    const { link } = await connectTestLink(standalone());
    const fill = { name: 'fill', source: `return redis.call('SET', KEYS[1], string.rep('x', ARGV[1]))` };
    await redis.server.cli('config', 'set', 'maxmemory', '1');
    await expect(link.script(fill, ['much'], ['5000'])).rejects.toMatchObject({
      code: 'redis_refused',
      message: expect.stringMatching(/the script fill with: (ERR .*-)?OOM /),
    });
    expect(await link.send({ args: ['GET', 'much'] })).toBeNull();
    await redis.server.cli('config', 'set', 'maxmemory', '60mb');
  });
});

describe('scripts', () => {
  it('are sent by digest if the server knows them, and otherwise by text', async () => {
    const { link } = await connectTestLink(standalone());
    await redis.server.cli('config', 'resetstat');
    expect(await link.script(increment, ['scripted'], ['1'])).toBe(1);
    expect(await link.script(increment, ['scripted'], ['1'])).toBe(2);
    await redis.server.cli('script', 'flush');
    expect(await link.script(increment, ['scripted'], ['1'])).toBe(3);
    expect(await link.script(increment, ['scripted'], ['1'])).toBe(4);
    const calls = await redis.server.cli('info', 'commandstats');
    expect(calls).toMatch(/cmdstat_eval:calls=2,/);
    expect(calls).toMatch(/cmdstat_evalsha:calls=4,/);
  });

  it('arrive in the order of the calls', async () => {
    const { link } = await connectTestLink(standalone());
    const append = { name: 'append', source: `return redis.call('APPEND', KEYS[1], ARGV[1])` };
    await Promise.all(['a', 'b', 'c', 'd', 'e'].map((letter) => link.script(append, ['order'], [letter])));
    await Promise.all(['f', 'g', 'h', 'i', 'j'].map((letter) => link.script(append, ['order'], [letter])));
    expect(await link.send({ args: ['GET', 'order'] })).toBe('abcdefghij');
  });

  it('fail an assertion if their keys have several slots, even on a standalone server', async () => {
    const { link } = await connectTestLink(standalone());
    await expect(link.script(increment, ['a', 'b'], [])).rejects.toThrow('BUG: a and b have the same slot');
  });

  it('are confirmed by replicas, but only on the connection that wrote', async () => {
    const replica = await startRedis(join(redis.directory, 'replica'), { replicaOf: redis.server.port });
    const { link } = await connectTestLink(standalone());
    await expect(link.waitReplicas('replicated', 1, 100)).rejects.toMatchObject({ code: 'redis_unavailable' });
    await eventually('the replica is a copy', async () => (await replica.cli('role')).includes('connected'));
    await link.script(increment, ['replicated'], ['7']);
    expect(await link.waitReplicas('replicated', 1, 20_000)).toBe(1);
    expect(await replica.cli('get', 'replicated')).toBe('7');
    await replica.kill();
    await link.script(increment, ['replicated'], ['7']);
    expect(await link.waitReplicas('replicated', 1, 50)).toBe(0);
    await expect(link.waitReplicas('elsewhere', 1, 50)).rejects.toThrow('write again first');
  });
});

describe('the eviction policy', () => {
  it.each([['redis'], ['plain']])('is readable for the user %s, with or without the right to CONFIG', async (user) => {
    const credentials = user === 'plain' ? { username: 'plain', password: 'hunter2' } : {};
    const { link } = await connectTestLink({ ...standalone(), ...credentials });
    const node = `127.0.0.1:${redis.server.port}`;
    expect(await link.evictionPolicies()).toEqual([{ node, policy: 'noeviction' }]);
    await redis.server.cli('config', 'set', 'maxmemory-policy', 'allkeys-lru');
    expect(await link.evictionPolicies()).toEqual([{ node, policy: 'allkeys-lru' }]);
    await redis.server.cli('config', 'set', 'maxmemory-policy', 'noeviction');
  });

  it('is not readable for a user without the rights to CONFIG and INFO', async () => {
    const { link } = await connectTestLink({ ...standalone(), username: 'mute', password: 'hunter2' });
    await expect(link.evictionPolicies()).rejects.toMatchObject({ code: 'redis_refused' });
  });
});

describe('credentials', () => {
  it('are part of the address, with a database, or options of their own', async () => {
    const url = `redis://reader:hunter2@127.0.0.1:${redis.server.port}/3`;
    const { link } = await connectTestLink(standalone(url));
    await link.send({ args: ['SET', 'open:a', '1'] });
    const apart = await connectTestLink({ ...standalone(), username: 'reader', password: 'hunter2', database: 3 });
    expect(await apart.link.send({ args: ['GET', 'open:a'] })).toBe('1');
    await expect(link.send({ args: ['GET', 'closed'] })).rejects.toThrow('NOPERM');
  });

  it('that are wrong appear in the status and in errors, without the password', async () => {
    const { link, lines } = await openTestLink(
      standalone(`redis://reader:wrong-secret@127.0.0.1:${redis.server.port}`),
    );
    await eventually('Redis has refused', () => link.status.failure?.includes('WRONGPASS') ?? false);
    expect(link.status.connected).toBe(false);
    await expect(link.send({ args: ['GET', 'open:a'] })).rejects.toMatchObject({ code: 'redis_refused' });
    expect(lines.join('\n')).toContain('WRONGPASS');
    expect([link.status.failure, ...lines].join('\n')).not.toContain('wrong-secret');
  });

  it('that are missing are reported', async () => {
    const closed = await startRedis(join(redis.directory, 'closed'), { password: 'hunter2' });
    const { link } = await openTestLink(standalone(closed.url));
    await eventually('Redis has refused', () => link.status.failure?.includes('NOAUTH') ?? false);
    await closed.stop();
  });

  it('are redacted if Redis itself quotes them', async () => {
    const without = await startRedis(join(redis.directory, 'renamed'), {
      directives: ['--rename-command', 'AUTH', 'LOGIN'],
    });
    const { link, lines } = await openTestLink({ ...standalone(without.url), password: 'wrong-secret' });
    await eventually('Redis has refused', () => link.status.failure?.includes('unknown command') ?? false);
    expect([link.status.failure, ...lines].join('\n')).not.toContain('wrong-secret');
    await without.stop();
  });
});

it('connects to a Unix socket', async () => {
  const { link } = await connectTestLink(standalone(`unix://${redis.server.socketPath}`));
  expect(await link.send({ args: ['ECHO', 'here'] })).toBe('here');
  expect(await link.evictionPolicies()).toEqual([{ node: redis.server.socketPath, policy: 'noeviction' }]);
});
