import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/**
 * A TCP proxy on the loopback address between a client and a server, which fails in the ways a network fails. All counts
 * start at the call and cover all connections together.
 */
export interface Cutter {
  readonly port: number;
  /** Connections open now. */
  readonly connections: number;
  /** Connections accepted so far. */
  readonly accepted: number;
  /** Cuts all connections, both ways. Accepts new ones. */
  cut(): void;
  /** Passes `bytes` more bytes to the server, then cuts all connections. */
  cutAfterSent(bytes: number): void;
  /** Passes `bytes` more bytes to the client, then cuts all connections. With 0, the server works but its answer is lost. */
  cutAfterReceived(bytes: number): void;
  /** Holds back the answers of the server until `release`. */
  hold(): void;
  /** Passes the held answers to the connections that are still open. */
  release(): void;
  /** Ends new connections at once while `refused` is true. */
  refuse(refused: boolean): void;
  stop(): Promise<void>;
}

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
}

/** Starts one in front of `target`, a port of the loopback address. */
export async function startCutter(target: number): Promise<Cutter> {
  const pairs = new Set<Pair>();
  const limit = { sent: Infinity, received: Infinity };
  let held: { readonly to: Socket; readonly bytes: Buffer }[] | undefined;
  let accepted = 0;
  let refusing = false;

  const cut = () => {
    limit.sent = Infinity;
    limit.received = Infinity;
    for (const { client, server } of pairs) {
      client.destroy();
      server.destroy();
    }
  };
  const pass = (to: Socket, bytes: Buffer, direction: keyof typeof limit) => {
    if (bytes.length < limit[direction]) {
      limit[direction] -= bytes.length;
      to.write(bytes);
      return;
    }
    // `end` still sends the bytes written before; `destroy` alone would drop them.
    to.end(bytes.subarray(0, limit[direction]), () => setImmediate(cut));
    limit[direction] = 0;
  };
  const listener = createServer((client) => {
    accepted += 1;
    if (refusing) return void client.destroy();
    const pair: Pair = { client, server: connect(target, '127.0.0.1') };
    pairs.add(pair);
    const end = () => {
      pairs.delete(pair);
      pair.client.destroy();
      pair.server.destroy();
    };
    for (const socket of [pair.client, pair.server]) socket.setNoDelay(true).on('error', end).on('close', end);
    pair.client.on('data', (bytes: Buffer) => pass(pair.server, bytes, 'sent'));
    pair.server.on('data', (bytes: Buffer) => {
      if (held) held.push({ to: pair.client, bytes });
      else pass(pair.client, bytes, 'received');
    });
    return undefined;
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const address = listener.address();

  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    get connections() {
      return pairs.size;
    },
    get accepted() {
      return accepted;
    },
    cut,
    cutAfterSent: (bytes) => void (limit.sent = bytes),
    cutAfterReceived: (bytes) => void (limit.received = bytes),
    hold: () => void (held ??= []),
    release() {
      const waiting = held ?? [];
      held = undefined;
      for (const { to, bytes } of waiting) if (to.writable) pass(to, bytes, 'received');
    },
    refuse: (refused) => void (refusing = refused),
    async stop() {
      cut();
      listener.close();
      await once(listener, 'close');
    },
  };
}
