import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, request as httpRequest, type IncomingHttpHeaders, type Server } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { systemRandom, type Clock, type Log } from '../../base/index.ts';
import { MetricSet } from '../../metric/index.ts';
import { openGateway, type Gateway, type Egress, type GatewayOptions, type Pull } from '../index.ts';
import type { TestUpstream } from './upstream.ts';

/** A clock that the test advances. */
export class TestClock implements Clock {
  #ms = 1_700_000_000_000;

  now(): number {
    return this.#ms;
  }

  monotonic(): number {
    return this.#ms;
  }

  advance(ms: number): void {
    this.#ms += ms;
  }
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** Whether the response is complete. */
  readonly complete: boolean;
}

export interface LogEntry {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly fields: object;
  readonly message: string;
}

/** A gateway with a real listener and its own directory, which collects what it records and logs. */
export class TestGateway {
  readonly pulls: Pull[] = [];
  readonly egress: Egress[] = [];
  readonly logs: LogEntry[] = [];
  readonly clock = new TestClock();
  readonly directory: string;
  /** Whether clients may half-close their connections, as with the server's own listener. */
  allowHalfOpen = false;
  metrics = new MetricSet();
  gateway: Gateway | undefined;
  readonly #options: Partial<GatewayOptions>;
  readonly #upstreams: GatewayOptions['upstreams'];
  readonly #countedBefore = new Map<string, number>();
  #isChanged = false;
  #answering = 0;
  #server: Server | undefined;

  private constructor(directory: string, upstreams: GatewayOptions['upstreams'], options: Partial<GatewayOptions>) {
    this.directory = directory;
    this.#upstreams = upstreams;
    this.#options = options;
  }

  /** Starts a gateway with these upstreams by name. The first one is the default. */
  static async start(
    upstreams: Readonly<Record<string, TestUpstream>>,
    options: Partial<GatewayOptions> & {
      readonly credentials?: { readonly username: string; readonly password: string };
    } = {},
  ): Promise<TestGateway> {
    const directory = await mkdtemp(join(tmpdir(), 'tonnage-gateway-'));
    const { credentials, ...rest } = options;
    const configured = Object.entries(upstreams).map(([name, { url }]) => ({
      name,
      url,
      tagTtlMs: 60_000,
      ...(credentials === undefined ? {} : { auth: { basic: credentials } }),
    }));
    const started = new TestGateway(directory, configured, rest);
    await started.open();
    return started;
  }

  /** Opens the gateway again with the same directory and other options. */
  async reopen(more: Partial<GatewayOptions>): Promise<void> {
    await this.close();
    await this.open(more);
  }

  /** Opens the gateway, also again after `close`. */
  async open(more: Partial<GatewayOptions> = {}): Promise<void> {
    const line = (level: LogEntry['level']) => (fields: object, message: string) => {
      this.logs.push({ level, fields, message });
    };
    const log: Log = { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') };
    this.#isChanged = Object.keys(more).length > 0;
    this.metrics = new MetricSet();
    this.#countedBefore.clear();
    const first = this.#upstreams[0]?.name;
    this.gateway = await openGateway({
      upstreams: this.#upstreams,
      ...(first === undefined ? {} : { defaultUpstream: first }),
      directory: this.directory,
      factsWaitMs: 60_000,
      version: '0.0.0-test',
      admit: () => ({ kind: 'anonymous' }),
      record: (pull) => void this.pulls.push(pull),
      recordEgress: (sums) => void this.egress.push(...sums),
      metrics: this.metrics,
      clock: this.clock,
      random: systemRandom,
      log,
      ...this.#options,
      ...more,
    });
    this.#server = createServer((request, response) => {
      this.#answering++;
      response.once('close', () => this.#answering--);
      this.gateway?.handle(request, response);
    });
    Object.assign(this.#server, { httpAllowHalfOpen: this.allowHalfOpen });
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  get port(): number {
    const address = this.#server?.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  /** Responses that have not ended. */
  get answering(): number {
    return this.#answering;
  }

  get(path: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    return this.ask('GET', path, headers);
  }

  head(path: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    return this.ask('HEAD', path, headers);
  }

  /**
   * Sends a request and reads the response, even if it is incomplete. Status 0 means that the connection was reset
   * before it. `onBody` is called with the number of body bytes received so far.
   */
  ask(
    method: string,
    path: string,
    headers: Readonly<Record<string, string>> = {},
    onBody: (received: number) => void = () => {},
  ): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const options = { host: '127.0.0.1', port: this.port, method, path, headers, agent: false };
      const request = httpRequest(options, (response) => {
        const chunks: Buffer[] = [];
        let received = 0;
        const finish = (): void =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks),
            complete: response.complete,
          });
        response.on('data', (chunk: Buffer) => {
          chunks.push(chunk);
          received += chunk.byteLength;
          onBody(received);
        });
        response.on('error', finish);
        response.on('end', finish);
      });
      request.on('error', (error) => {
        // A reset may overtake the first bytes of the response.
        if ('code' in error && error.code === 'ECONNRESET')
          resolve({ status: 0, headers: {}, body: Buffer.alloc(0), complete: false });
        else reject(error);
      });
      request.end();
    });
  }

  /** Sends raw bytes and returns everything received until the connection closes. */
  async raw(bytes: string | Buffer): Promise<Buffer> {
    const socket = connect(this.port, '127.0.0.1');
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('error', () => {});
    socket.write(bytes);
    await once(socket, 'close');
    return Buffer.concat(chunks);
  }

  /** Clears the records and logs, and restores the original options. The cache stays. */
  async reset(): Promise<void> {
    if (this.#isChanged || this.gateway === undefined) {
      await this.close();
      await this.open();
    }
    this.pulls.length = 0;
    this.egress.length = 0;
    this.logs.length = 0;
    this.#countedBefore.clear();
    for (const name of ['counted_aborted', 'facts_unknown', 'blob_rejected']) {
      for (const { name: upstream } of this.#upstreams) {
        this.#countedBefore.set(`${name} ${upstream}`, this.#total(name, upstream));
      }
    }
  }

  /**
   * The sum of the values of all series with these labels in the family `tonnage_gateway_<name>`
   * (for a histogram: the number of observations); undefined if there is none.
   */
  sample(name: string, labels: Readonly<Record<string, string>> = {}): number | undefined {
    let sum: number | undefined;
    for (const family of this.metrics.gather()) {
      if (family.name !== `tonnage_gateway_${name}`) continue;
      for (const point of family.points) {
        if (!Object.entries(labels).every(([label, value]) => point.labels.get(label) === value)) continue;
        const value = 'counts' in point ? point.counts.at(-1) : 'value' in point ? point.value : undefined;
        sum = (sum ?? 0) + Number(value);
      }
    }
    return sum;
  }

  /** The increase of a counter with the label `upstream` since the gateway was opened or reset. */
  counted(name: string, upstream: string): number {
    return this.#total(name, upstream) - (this.#countedBefore.get(`${name} ${upstream}`) ?? 0);
  }

  #total(name: string, upstream: string): number {
    for (const family of this.metrics.gather()) {
      if (family.name !== `tonnage_gateway_${name}` || family.type !== 'counter') continue;
      for (const point of family.points) if (point.labels.get('upstream') === upstream) return Number(point.value);
    }
    return 0;
  }

  /** Stops the listener and the gateway; the directory stays. */
  async close(): Promise<void> {
    const { gateway } = this;
    if (gateway === undefined) return;
    this.gateway = undefined;
    this.#server?.closeAllConnections();
    await new Promise<void>((resolve) => void this.#server?.close(() => resolve()));
    await gateway.close();
  }

  /** Closes the gateway and removes its directory. */
  async remove(): Promise<void> {
    await this.close();
    await rm(this.directory, { recursive: true, force: true });
  }
}
