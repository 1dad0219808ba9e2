import { once } from 'node:events';
import type { AddressInfo, Server, Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { slowReadMs, type BreakableSource } from './breakable.ts';

/** A server on the loopback address that a test breaks. A restart keeps the port. */
export abstract class BreakableServer implements BreakableSource {
  readonly refused = 'unreachable';
  readonly truncated = 'invalid';
  #mode: 'well' | 'hanging' | 'truncated' | 'slow' = 'well';
  #server: Server | undefined;
  #port = 0;
  readonly #sockets = new Set<Socket>();
  #active = 0;

  /** A server that calls `answer` for each request. It does not listen yet. */
  protected abstract create(): Server;

  get port(): number {
    return this.#port;
  }

  async start(): Promise<void> {
    if (this.#server !== undefined) return;
    const server = this.create();
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      // A reader may disconnect at any time.
      socket.on('error', () => undefined);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    server.listen(this.#port, '127.0.0.1');
    await once(server, 'listening');
    this.#server = server;
    this.#port = (server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    server.close();
    for (const socket of this.#sockets) socket.destroy();
    await once(server, 'close');
  }

  hang(): void {
    this.#mode = 'hanging';
  }

  truncate(): void {
    this.#mode = 'truncated';
  }

  slow(): void {
    this.#mode = 'slow';
  }

  refuse(): Promise<void> {
    return this.stop();
  }

  async restore(): Promise<void> {
    this.#mode = 'well';
    await this.start();
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  activeReads(): number {
    return this.#active;
  }

  /** Calls `send` when the answer is due, with whether to send only a part of it. `closed`: when the reader has gone. */
  protected async answer(closed: () => Promise<unknown>, send: (isTruncated: boolean) => void): Promise<void> {
    this.#active++;
    try {
      if (this.#mode === 'hanging') await closed();
      if (this.#mode === 'slow') await pause(slowReadMs);
      send(this.#mode === 'truncated');
    } finally {
      this.#active--;
    }
  }
}
