import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { freePort } from '../../test/support/program.ts';
import { closeLinks, connectTestLink, openTestLink, untilConnected } from '../../test/support/redis-link.ts';
import { startSentinel, type SentinelGroup } from '../../test/support/redis-sentinel.ts';
import { eventually } from '../../test/support/redis.ts';

const directory = mkdtempSync(join(tmpdir(), 'tonnage-sentinel-'));
const increment = { name: 'increment', source: `return redis.call('INCR', KEYS[1])` };
let group: SentinelGroup;

beforeAll(async () => {
  group = await startSentinel(directory, { password: 'hunter2', sentinelPassword: 'hunter3' });
});
afterEach(closeLinks);
afterAll(async () => {
  await group.stop();
  rmSync(directory, { recursive: true });
});

const watched = () =>
  ({
    mode: 'sentinel',
    sentinels: group.sentinels,
    name: group.name,
    password: 'hunter2',
    sentinelPassword: 'hunter3',
  }) as const;
const addressOf = async () => `127.0.0.1:${(await group.currentPrimary()).port}`;

it('follows the Sentinels to a new primary while the old one does not know of it yet', async () => {
  const { link } = await connectTestLink(watched());
  expect(await link.script(increment, ['late'], [])).toBe(1);
  expect(await link.waitReplicas('late', 1, 20_000)).toBe(1);
  const before = await addressOf();
  await group.failover({ isLate: true });
  const after = await addressOf();
  expect(after).not.toBe(before);
  await eventually('the link is connected to the new primary', async () => {
    return link.evictionPolicies().then(
      ([policy]) => policy?.node === after,
      () => false,
    );
  });
  // The new connection has written nothing, so WAIT must reject. The new server does not know the script either.
  await expect(link.waitReplicas('late', 1, 100)).rejects.toMatchObject({ code: 'redis_unavailable' });
  expect(await link.script(increment, ['late'], [])).toBe(2);
  await Promise.all(
    group.servers.map(async (server) => {
      // The Sentinels would demote the old primary only some seconds later.
      if (!after.endsWith(`:${server.port}`))
        await server.cli('replicaof', '127.0.0.1', after.slice(after.indexOf(':') + 1));
    }),
  );
});

it('finds the new primary after the old one was killed, even if a Sentinel is unreachable', async () => {
  const absent = { host: '127.0.0.1', port: await freePort() };
  const { link } = await connectTestLink({ ...watched(), sentinels: [absent, ...group.sentinels] });
  await link.script(increment, ['killed'], []);
  const primary = await group.currentPrimary();
  const [other] = group.servers.filter((server) => server !== primary);
  await eventually('the other server is a replica', async () => {
    return ((await other?.cli('role')) ?? '').startsWith(`slave\n127.0.0.1\n${primary.port}\nconnected`);
  });
  expect(await link.waitReplicas('killed', 1, 20_000)).toBe(1);
  await primary.kill();
  await group.untilReplaced(primary);
  await untilConnected(link);
  expect(await link.script(increment, ['killed'], [])).toBe(2);
  await primary.restart();
});

it.each([
  ['a name that no Sentinel knows', { name: 'nobody' }, 'knows no primary called nobody'],
  ['a wrong password for the Sentinels', { sentinelPassword: 'wrong-secret' }, 'WRONGPASS'],
  ['a wrong password for the servers', { password: 'wrong-secret' }, 'WRONGPASS'],
])('reports %s, without passwords', async (_, wrong, reason) => {
  const { link, lines } = await openTestLink({ ...watched(), ...wrong });
  await eventually('the failure shows', () => link.status.failure?.includes(reason) ?? false);
  await expect(link.send({ args: ['GET', 'a'] })).rejects.toMatchObject({ code: 'redis_unavailable' });
  expect([link.status.failure, ...lines].join('\n')).not.toMatch(/wrong-secret|hunter/);
});
