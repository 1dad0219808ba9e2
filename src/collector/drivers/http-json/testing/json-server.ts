import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { slowReadMs, type BreakableSource } from '../../../testing/breakable.ts';

/** A real server of one JSON document, which a test breaks. */
export class JsonServer implements BreakableSource {
  readonly refused = 'unreachable';
  readonly truncated = 'invalid';
  /** The document as it is sent. */
  body: string | Buffer;
  /** Answers instead of the document. */
  answer: ((response: ServerResponse) => void) | undefined;
  /** The last request. */
  request: IncomingMessage | undefined;
  #mode: 'well' | 'hanging' | 'truncated' | 'slow' = 'well';
  #server: Server | undefined;
  #port = 0;
  readonly #sockets = new Set<Socket>();
  #active = 0;

  constructor(document: unknown) {
    this.body = JSON.stringify(document);
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/status`;
  }

  async start(): Promise<void> {
    if (this.#server !== undefined) return;
    const server = createServer((request, response) => void this.#serve(request, response));
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
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

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.request = request;
    this.#active++;
    try {
      if (this.#mode === 'hanging') await once(response, 'close');
      if (this.#mode === 'slow') await pause(slowReadMs);
      if (this.answer !== undefined) this.answer(response);
      else response.end(this.#mode === 'truncated' ? this.body.slice(0, this.body.length / 2) : this.body);
    } finally {
      this.#active--;
    }
  }
}
