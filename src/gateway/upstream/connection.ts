import { Agent, buildConnector, errors, Pool, request as undiciRequest, type Dispatcher } from 'undici';

import { limits, messageOf, unlessAborted } from '../../base/index.ts';
import { pooled, type EgressProxies, type ProxyOf } from './egress-proxy.ts';
import { UpstreamError } from './failure.ts';
import { skippingInterim } from './interim.ts';
import type { AddressPolicy } from './address-policy.ts';
import type { Send } from './send.ts';

/** Failures after which the same request may well succeed at once: most often a kept connection that had gone stale. */
const retryableCodes: ReadonlySet<string> = new Set([
  'ECONNRESET',
  'ECONNREFUSED',
  'EPIPE',
  'EAI_AGAIN',
  'UND_ERR_SOCKET',
]);

export interface ConnectionsOptions {
  readonly reach: AddressPolicy;
  readonly proxies: EgressProxies;
  readonly proxyOf: ProxyOf;
  /** Sees each dispatcher before it is used. */
  readonly wrap: (dispatcher: Dispatcher) => Dispatcher;
}

/** The connections that one upstream needs: to itself, to where it leads, directly or through egress proxies. */
export class Connections {
  readonly #reach: AddressPolicy;
  readonly #proxies: EgressProxies;
  readonly #proxyOf: ProxyOf;
  readonly #wrap: (dispatcher: Dispatcher) => Dispatcher;
  readonly #direct: Agent;
  readonly #wrapped = new Map<Dispatcher, Dispatcher>();

  constructor({ reach, proxies, proxyOf, wrap }: ConnectionsOptions) {
    this.#wrap = wrap;
    this.#reach = reach;
    this.#proxies = proxies;
    this.#proxyOf = proxyOf;
    this.#direct = new Agent({
      factory: (origin) => {
        const lookup = reach.lookup(new URL(origin));
        const connect = buildConnector({ timeout: limits.upstreamConnectMsMax, lookup, allowH2: pooled.allowH2 });
        return new Pool(origin, { ...pooled, connect: skippingInterim(connect) });
      },
    });
  }

  /** What a request to this URL goes through. Throws `UpstreamError` for an address that the upstream may not lead to. */
  route(url: URL): { readonly dispatcher: Dispatcher; readonly isProxied: boolean } {
    this.#reach.check(url);
    const proxy = this.#proxyOf(url);
    const isProxied = proxy !== undefined;
    return { dispatcher: this.#through(isProxied ? this.#proxies.agent(proxy) : this.#direct), isProxied };
  }

  #through(dispatcher: Dispatcher): Dispatcher {
    const known = this.#wrapped.get(dispatcher);
    if (known !== undefined) return known;
    const wrapped = this.#wrap(dispatcher);
    this.#wrapped.set(dispatcher, wrapped);
    return wrapped;
  }

  destroy(): Promise<void> {
    return this.#direct.destroy();
  }
}

/** Whether the bytes that came are no answer. undici states no code for most of these errors. */
function isNoHttp(thrown: unknown): boolean {
  return thrown instanceof errors.HTTPParserError;
}

function codeOf(thrown: unknown): string {
  // A deadline of our own or a client that left; these have names, and numbers where others have codes.
  if (thrown instanceof DOMException) return thrown.name;
  if (isNoHttp(thrown)) return 'it does not speak HTTP';
  if (typeof thrown === 'object' && thrown !== null && 'code' in thrown && typeof thrown.code === 'string') {
    return thrown.code;
  }
  return 'unknown error';
}

/** What a thrown error of the connection means; also for bodies, which break in the same ways. */
export function connectionFailure(thrown: unknown): UpstreamError {
  return failureVia('', thrown);
}

function failureVia(via: string, thrown: unknown): UpstreamError {
  if (thrown instanceof UpstreamError) return thrown;
  const code = codeOf(thrown);
  // What a proxy says of itself is known by no code.
  const [, status] = /^Proxy .*\((\d{3})\)/.exec(messageOf(thrown)) ?? [];
  const reason = status === undefined ? code : `it answered ${status}`;
  return new UpstreamError('unreachable', `could not be reached${via} (${reason})`, {
    cause: new Error(messageOf(thrown)),
    // What a kept connection brings may have come late, after an earlier answer. A new connection has nothing of that.
    retryable: retryableCodes.has(code) || isNoHttp(thrown),
  });
}

/**
 * The innermost layer: one request over a kept connection, with a deadline for everything that can hang. Redirects and
 * refusals are answers like others.
 */
export function createSend(connections: Connections): Send {
  return async ({ method, url, headers, signal }) => {
    const { dispatcher, isProxied } = connections.route(url);
    try {
      const work = undiciRequest(url, {
        dispatcher,
        method,
        headers,
        signal: signal ?? null,
        headersTimeout: limits.upstreamHeadersMsMax,
        bodyTimeout: limits.upstreamSilenceMsMax,
        // Keeps the connection after a HEAD too: tags are revalidated by nothing else.
        reset: false,
      });
      // undici looks at the signal only once it has a connection.
      const answer = await unlessAborted(work, signal, connectionFailure);
      return { status: answer.statusCode, headers: answer.headers, origin: url.origin, body: answer.body };
    } catch (thrown) {
      throw failureVia(isProxied ? ' through its egress proxy' : '', thrown);
    }
  };
}
