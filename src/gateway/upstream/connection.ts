import { Agent, buildConnector, errors, Pool, request as undiciRequest, type Dispatcher } from 'undici';

import { limits, messageOf, unlessAborted } from '../../base/index.ts';
import { pooled, type EgressProxies, type ProxyOf } from './egress-proxy.ts';
import { UpstreamError } from './failure.ts';
import { skippingInterim } from './interim.ts';
import type { AddressPolicy } from './address-policy.ts';
import type { Send } from './send.ts';

/** Errors worth an immediate retry: most often, the upstream had closed an idle connection. */
const retryableCodes: ReadonlySet<string> = new Set([
  'ECONNRESET',
  'ECONNREFUSED',
  'EPIPE',
  'EAI_AGAIN',
  'UND_ERR_SOCKET',
]);

export interface ConnectionsOptions {
  readonly policy: AddressPolicy;
  readonly proxies: EgressProxies;
  readonly proxyOf: ProxyOf;
  /** Wraps each dispatcher before its first use. */
  readonly wrap: (dispatcher: Dispatcher) => Dispatcher;
}

/** The connections of one upstream: to itself and to its redirect targets, directly or through egress proxies. */
export class Connections {
  readonly #policy: AddressPolicy;
  readonly #proxies: EgressProxies;
  readonly #proxyOf: ProxyOf;
  readonly #wrap: (dispatcher: Dispatcher) => Dispatcher;
  readonly #direct: Agent;
  readonly #wrapped = new Map<Dispatcher, Dispatcher>();

  constructor({ policy, proxies, proxyOf, wrap }: ConnectionsOptions) {
    this.#wrap = wrap;
    this.#policy = policy;
    this.#proxies = proxies;
    this.#proxyOf = proxyOf;
    this.#direct = new Agent({
      factory: (origin) => {
        const lookup = policy.lookup(new URL(origin));
        const connect = buildConnector({ timeout: limits.upstreamConnectMsMax, lookup, allowH2: pooled.allowH2 });
        return new Pool(origin, { ...pooled, connect: skippingInterim(connect) });
      },
    });
  }

  /** Returns the dispatcher for a URL. Throws `UpstreamError` if the upstream may not lead to that address. */
  route(url: URL): { readonly dispatcher: Dispatcher; readonly isProxied: boolean } {
    this.#policy.check(url);
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

/** Whether the response was not HTTP. undici sets no code for most of these errors. */
function isNotHttp(thrown: unknown): boolean {
  return thrown instanceof errors.HTTPParserError;
}

function codeOf(thrown: unknown): string {
  // An abort or a timeout: its `code` is a number, its name says more.
  if (thrown instanceof DOMException) return thrown.name;
  if (isNotHttp(thrown)) return 'it does not speak HTTP';
  if (typeof thrown === 'object' && thrown !== null && 'code' in thrown && typeof thrown.code === 'string') {
    return thrown.code;
  }
  return 'unknown error';
}

/** Converts an error of a connection, or of a body that is being read, to an `UpstreamError`. */
export function connectionFailure(thrown: unknown): UpstreamError {
  return failureVia('', thrown);
}

function failureVia(via: string, thrown: unknown): UpstreamError {
  if (thrown instanceof UpstreamError) return thrown;
  const code = codeOf(thrown);
  // undici reports a proxy's error status only in the message.
  const [, status] = /^Proxy .*\((\d{3})\)/.exec(messageOf(thrown)) ?? [];
  const reason = status === undefined ? code : `it answered ${status}`;
  return new UpstreamError('unreachable', `could not be reached${via} (${reason})`, {
    cause: new Error(messageOf(thrown)),
    // On a reused connection, invalid HTTP may be the late rest of an earlier response. A new connection has no such rest.
    retryable: retryableCodes.has(code) || isNotHttp(thrown),
  });
}

/**
 * Innermost layer: sends one request over a pooled connection, with a deadline for each step. Resolves for every
 * status, including redirects and errors.
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
        // Reuse the connection after a HEAD, too: tags are revalidated by HEAD.
        reset: false,
      });
      // undici ignores the signal until it has a connection.
      const answer = await unlessAborted(work, signal, connectionFailure);
      return { status: answer.statusCode, headers: answer.headers, origin: url.origin, body: answer.body };
    } catch (thrown) {
      throw failureVia(isProxied ? ' through its egress proxy' : '', thrown);
    }
  };
}
