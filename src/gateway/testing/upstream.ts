import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

import { parseRange, satisfy } from '../range.ts';
import type { Content, TestImage } from './images.ts';

/** A request that the upstream received. */
export interface SeenRequest {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly headers: IncomingMessage['headers'];
}

/** Special behaviour of an upstream. It may be changed between requests. */
export interface Behaviour {
  /** Answers a request instead of the upstream, if it returns true. */
  intercept?: (request: IncomingMessage, response: ServerResponse) => boolean;
  /** Requires a bearer token from its own token endpoint, which requires `credentials` if given. */
  bearer?: { readonly credentials?: string; readonly expiresIn?: number };
  /** Requires these `user:password` credentials by Basic. */
  basic?: string;
  /** Changes one byte of every blob. */
  corrupt?: boolean;
  /** Closes the connection after this many bytes of a blob. */
  truncateAt?: number;
  /** Sends blobs in pieces of this size, with a pause after each. */
  pace?: { readonly bytes: number; readonly pauseMs: number };
  /** Sends the bytes of a blob beyond `at` only after `opened` has resolved. */
  gate?: { readonly at: number; readonly opened: Promise<void> };
  /** Sends no `Content-Length` with blobs. */
  hideLength?: boolean;
  /** Answers range requests with the whole blob. */
  ignoreRange?: boolean;
  /** Sends no `Docker-Content-Digest` with manifests. */
  hideDigest?: boolean;
  /** Redirects blobs to the same path of this origin. */
  redirectBlobsTo?: string;
}

interface StoredRepository {
  readonly tags: Map<string, string>;
  readonly manifests: Map<string, Content>;
  readonly blobs: Map<string, Content>;
}

const error = (code: string): string => JSON.stringify({ errors: [{ code, message: 'from the upstream' }] });

/** A small upstream in this process, over real HTTP, with a log of its requests. */
export class TestUpstream {
  behaviour: Behaviour = {};
  readonly requests: SeenRequest[] = [];
  readonly #repositories = new Map<string, StoredRepository>();
  readonly #server: Server;
  readonly #tokens = new Set<string>();
  #port = 0;
  #open = 0;

  private constructor() {
    this.#server = createServer((request, response) => {
      this.#open++;
      response.once('close', () => this.#open--);
      this.#handle(request, response).catch((thrown: unknown) => response.destroy(new Error(String(thrown))));
    });
  }

  /** Starts an upstream on the loopback interface, by default on a free port. */
  static async start(port = 0): Promise<TestUpstream> {
    const upstream = new TestUpstream();
    upstream.#server.listen(port, '127.0.0.1');
    await once(upstream.#server, 'listening');
    const address = upstream.#server.address();
    upstream.#port = typeof address === 'object' && address !== null ? address.port : 0;
    return upstream;
  }

  get port(): number {
    return this.#port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Responses that have not ended. */
  get open(): number {
    return this.#open;
  }

  get isRunning(): boolean {
    return this.#server.listening;
  }

  /** Restores normal behaviour and clears the log of requests. The content stays. */
  reset(): void {
    this.behaviour = {};
    this.requests.length = 0;
  }

  /** Adds a manifest and its blobs to a repository, with a tag if given. */
  put(repository: string, manifest: Content | TestImage, tag?: string): void {
    const stored = this.#repository(repository);
    stored.manifests.set(manifest.digest.text, manifest);
    if (tag !== undefined) stored.tags.set(tag, manifest.digest.text);
    for (const blob of 'blobs' in manifest ? manifest.blobs : []) this.putBlob(repository, blob);
  }

  putBlob(repository: string, blob: Content): void {
    this.#repository(repository).blobs.set(blob.digest.text, blob);
  }

  untag(repository: string, tag: string): void {
    this.#repository(repository).tags.delete(tag);
  }

  /** The requests whose target contains this text, as `METHOD target`. */
  requestsTo(text: string): readonly string[] {
    return this.requests
      .filter(({ target }) => target.includes(text))
      .map(({ method, target }) => `${method} ${target}`);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    if (!this.#server.listening) return;
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #repository(name: string): StoredRepository {
    const stored = this.#repositories.get(name) ?? { tags: new Map(), manifests: new Map(), blobs: new Map() };
    this.#repositories.set(name, stored);
    return stored;
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const target = request.url ?? '';
    this.requests.push({ method: request.method ?? '', target, headers: request.headers });
    if (this.behaviour.intercept?.(request, response) === true) return;
    const url = new URL(target, this.url);
    if (url.pathname === '/token') return this.#token(request, response);
    if (!this.#admits(request, response)) return;
    if (url.pathname === '/v2/') return void response.end('{}');
    const [, name = '', kind, end = ''] = /^\/v2\/(.+)\/(manifests|blobs|tags)\/([^/]+)$/.exec(url.pathname) ?? [];
    const stored = this.#repositories.get(name);
    if (stored === undefined || kind === undefined) return refuse(response, 404, 'NAME_UNKNOWN');
    if (kind === 'manifests') return this.#manifest(request, response, stored, end);
    if (kind === 'tags') return tags(response, name, stored, url.searchParams);
    const blob = stored.blobs.get(end);
    if (blob === undefined) return refuse(response, 404, 'BLOB_UNKNOWN');
    const { redirectBlobsTo } = this.behaviour;
    if (redirectBlobsTo === undefined) return this.#blob(request, response, blob);
    response.writeHead(307, { location: `${redirectBlobsTo}${target}` }).end();
  }

  #token(request: IncomingMessage, response: ServerResponse): void {
    const credentials = this.behaviour.bearer?.credentials;
    if (credentials !== undefined && request.headers.authorization !== basicValue(credentials)) {
      return refuse(response, 401, 'UNAUTHORIZED');
    }
    const token = `token-${this.#tokens.size}`;
    this.#tokens.add(`Bearer ${token}`);
    response.end(JSON.stringify({ token, expires_in: this.behaviour.bearer?.expiresIn ?? 300 }));
  }

  #admits(request: IncomingMessage, response: ServerResponse): boolean {
    const { bearer, basic } = this.behaviour;
    const given = request.headers.authorization ?? '';
    if (bearer !== undefined && !this.#tokens.has(given)) {
      response.setHeader('www-authenticate', `Bearer realm="${this.url}/token",service="test, upstream"`);
    } else if (basic !== undefined && given !== basicValue(basic)) {
      response.setHeader('www-authenticate', 'Basic realm="test"');
    } else {
      return true;
    }
    refuse(response, 401, 'UNAUTHORIZED');
    return false;
  }

  #manifest(request: IncomingMessage, response: ServerResponse, stored: StoredRepository, reference: string): void {
    const manifest = stored.manifests.get(stored.tags.get(reference) ?? reference);
    if (manifest === undefined) return refuse(response, 404, 'MANIFEST_UNKNOWN');
    response.setHeader('content-type', manifest.mediaType);
    response.setHeader('content-length', manifest.body.byteLength);
    if (this.behaviour.hideDigest !== true) response.setHeader('docker-content-digest', manifest.digest.text);
    response.end(request.method === 'HEAD' ? undefined : manifest.body);
  }

  async #blob(request: IncomingMessage, response: ServerResponse, { body }: Content): Promise<void> {
    const asked = this.behaviour.ignoreRange === true ? null : parseRange(request.headers.range);
    const range = asked === null ? { start: 0, end: body.byteLength } : satisfy(asked, body.byteLength);
    if (range === null) {
      response.writeHead(416, { 'content-range': `bytes */${body.byteLength}` }).end();
      return;
    }
    if (asked !== null) {
      response.statusCode = 206;
      response.setHeader('content-range', `bytes ${range.start}-${range.end - 1}/${body.byteLength}`);
    }
    if (this.behaviour.hideLength !== true) response.setHeader('content-length', range.end - range.start);
    if (request.method === 'HEAD') response.end();
    else await this.#send(response, body.subarray(range.start, range.end));
  }

  async #send(response: ServerResponse, body: Buffer): Promise<void> {
    const { corrupt, truncateAt, pace, gate } = this.behaviour;
    const sent = Buffer.from(body);
    if (corrupt === true) sent[sent.byteLength - 1] = ~(sent.at(-1) ?? 0);
    const pieceBytes = pace?.bytes ?? 256 * 1024;
    for (let offset = 0; offset < sent.byteLength && !response.destroyed;) {
      if (truncateAt !== undefined && offset >= truncateAt) return void response.destroy();
      if (gate !== undefined && offset >= gate.at) await gate.opened;
      const stops = [
        offset + pieceBytes,
        truncateAt ?? Infinity,
        gate !== undefined && offset < gate.at ? gate.at : Infinity,
      ];
      const end = Math.min(...stops, sent.byteLength);
      await written(response, sent.subarray(offset, end));
      offset = end;
      if (pace !== undefined) await sleep(pace.pauseMs);
    }
    response.end();
  }
}

/** Resolves when the bytes have been sent or the connection is closed. */
async function written(response: ServerResponse, bytes: Buffer): Promise<void> {
  await new Promise<void>((resolve) => {
    response.once('close', resolve);
    response.write(bytes, () => {
      response.off('close', resolve);
      resolve();
    });
  });
}

function basicValue(credentials: string): string {
  return `Basic ${Buffer.from(credentials).toString('base64')}`;
}

function refuse(response: ServerResponse, status: number, code: string): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(error(code));
}

function tags(response: ServerResponse, name: string, stored: StoredRepository, query: URLSearchParams): void {
  const all = [...stored.tags.keys()].toSorted().filter((tag) => tag > (query.get('last') ?? ''));
  const page = all.slice(0, Number(query.get('n') ?? all.length));
  const last = page.at(-1);
  if (last !== undefined && page.length < all.length) {
    response.setHeader('link', `</v2/${name}/tags/list?last=${last}&n=${page.length}>; rel="next"`);
  }
  response.end(JSON.stringify({ name, tags: page }));
}
