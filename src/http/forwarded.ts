import { isIP } from 'node:net';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { isWithin, parseAddress, parseNetwork } from '../identity/index.ts';

/** What a trusted proxy says of a request that it has passed on. */
export interface Forwarded {
  /** Address of the client. */
  readonly client: string;
  /** Scheme and host by which the client called; absent where the proxy does not say. */
  readonly scheme?: 'http' | 'https';
  readonly host?: string;
}

const forwarded = new WeakMap<IncomingHttpHeaders, Forwarded>();

/** What a trusted proxy says of the request with these headers; `undefined` when none has passed it on. */
export function forwardedOf(headers: IncomingHttpHeaders): Forwarded | undefined {
  return forwarded.get(headers);
}

/**
 * Takes note of what proxies say of a request (`X-Forwarded-For`, `-Proto`, `-Host`), for `forwardedOf`; to be called
 * before anything looks at it. Anybody can send these headers: they are believed only on connections from `trusted`
 * networks (in CIDR notation).
 */
export function createForwardedReader(trusted: readonly string[]): (request: IncomingMessage) => void {
  const networks = trusted.flatMap((cidr) => parseNetwork(cidr) ?? []);
  const isTrusted = (text: string): boolean => {
    const address = parseAddress(text);
    return address !== undefined && networks.some((network) => isWithin(address, network));
  };
  return ({ headers, socket }) => {
    if (networks.length === 0) return;
    const peer = socket.remoteAddress ?? '';
    if (!isTrusted(peer)) return;
    const scheme = lastOf(headers['x-forwarded-proto'])?.toLowerCase();
    const host = lastOf(headers['x-forwarded-host']);
    forwarded.set(headers, {
      client: clientOf(itemsOf(headers['x-forwarded-for']), peer, isTrusted),
      ...((scheme === 'http' || scheme === 'https') && { scheme }),
      ...(host !== undefined && { host }),
    });
  };
}

/**
 * Each proxy appends whom it was called by. From the last on they are believed for as long as the one who says so is
 * trusted; what the first stranger has sent along is nobody's word but its own.
 */
function clientOf(chain: readonly string[], peer: string, isTrusted: (address: string) => boolean): string {
  let client = peer;
  for (const item of chain.toReversed()) {
    const address = addressIn(item);
    if (address === undefined || !isTrusted(client)) break;
    client = address;
  }
  return client;
}

/** An address, which some proxies write with its port: `192.0.2.1:4711`, `[2001:db8::1]:4711`. */
function addressIn(text: string): string | undefined {
  const match = /^\[([^\]]+)\](?::\d+)?$|^(\d+(?:\.\d+){3}):\d+$/.exec(text);
  const address = match?.[1] ?? match?.[2] ?? text;
  return isIP(address) > 0 ? address : undefined;
}

function itemsOf(header: string | readonly string[] | undefined): readonly string[] {
  const text = typeof header === 'string' ? header : (header ?? []).join(',');
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

/** Of several values the last: the one by the proxy that is nearest. */
function lastOf(header: string | readonly string[] | undefined): string | undefined {
  return itemsOf(header).at(-1);
}
