import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/**
 * A TCP proxy on the loopback address between a client and a server, that breaks in the ways a network breaks. All of
 * it counts from the moment of the call, over all connections together.
 */
export interface Cutter {
  readonly port: number;
  /** Connections open now. */
  readonly connections: number;
  /** Connections taken so far. */
  readonly accepted: number;
  /** Cuts all connections, both ways. New ones are taken. */
  cut(): void;
  /** Lets `bytes` more to the server, and cuts all connections then. */
  cutAfterSent(bytes: number): void;
  /** Lets `bytes` more to the client, and cuts all connections then: with 0 the server does its work and nobody hears. */
  cutAfterReceived(bytes: number): void;
  /** Holds back what the server answers, until `release`. */
  hold(): void;
  /** Passes on what was held back to those connections that are still open. */
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
    // What is written before the end still leaves; `destroy` alone would take it along.
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
