import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { closeLinks, connectTestLink } from '../../test/support/redis-link.ts';
import { startRedis, type RedisServer } from '../../test/support/redis.ts';

const directory = mkdtempSync(join(tmpdir(), 'tonnage-moved-name-'));
let servers: readonly RedisServer[];

beforeAll(async () => {
  servers = await Promise.all(['one', 'two'].map((name) => startRedis(join(directory, name))));
});
afterAll(async () => {
  await closeLinks();
  await Promise.all(servers.map((server) => server.stop()));
  rmSync(directory, { recursive: true });
});

/** An address whose target can change for new connections, as that of a DNS name can. */
async function startAddress(first: RedisServer) {
  const sockets = new Set<Socket>();
  let target = first;
  const listener = createServer((client) => {
    const server = connect(target.port, '127.0.0.1');
    for (const socket of [client, server]) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy()).on('close', () => void [client, server].map((each) => each.destroy()));
    }
    client.pipe(server).pipe(client);
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const address = listener.address();
  return {
    url: `redis://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
    leadTo: (server: RedisServer) => void (target = server),
    stop: () => {
      for (const socket of sockets) socket.destroy();
      listener.close();
    },
  };
}

test('follows a name to the new primary, even though the old one keeps its connections', async () => {
  const [old, promoted] = servers;
  if (!old || !promoted) throw new Error('two servers were started');
  const address = await startAddress(old);
  try {
    const { link } = await connectTestLink({ mode: 'standalone', url: address.url });
    expect(await link.send({ args: ['INCR', 'count'], key: 'count' })).toBe(1);
    address.leadTo(promoted);
    await old.cli('replicaof', '127.0.0.1', String(promoted.port));
    expect(await link.send({ args: ['INCR', 'moved'], key: 'moved' })).toBe(1);
    expect(await promoted.cli('get', 'moved')).toContain('1');
  } finally {
    await closeLinks();
    address.stop();
  }
});
