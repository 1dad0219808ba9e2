import { limits, messageOf, type Log } from '../base/index.ts';
import type { Principal } from '../identity/index.ts';
import { BodyCount } from './body-count.ts';
import type { Exchange } from './exchange.ts';
import type { Repository } from './names.ts';
import type { Egress, GatewayOptions } from './options.ts';

type Sum = { -readonly [Member in keyof Egress]: Egress[Member] };

export interface EgressTallyOptions {
  readonly record: GatewayOptions['recordEgress'];
  readonly log: Log;
}

/**
 * Sums the body bytes that were sent, by client and repository, and passes the sums on with a short delay. A response
 * thus costs an addition, and not an event in the ledger. The number of sums in memory is limited.
 */
export class EgressTally {
  readonly #options: EgressTallyOptions;
  #sums = new Map<string, Sum>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: EgressTallyOptions) {
    this.#options = options;
  }

  /** Counts a response whose whole body of `bytes` was passed to Node: at once if it was sent, otherwise at its end. */
  whole(exchange: Exchange, repository: Repository, bytes: number, tag?: string): void {
    const { response } = exchange;
    const { socket } = exchange.request;
    if (response.writableFinished && !socket.destroyed && socket.errored === null) {
      this.#add(exchange, repository, tag, bytes);
    } else {
      this.pieces(exchange, repository, tag).sending(bytes);
    }
  }

  /** Counts a response whose body is sent in pieces, at its end. */
  pieces(exchange: Exchange, repository: Repository, tag?: string): BodyCount {
    return new BodyCount(exchange.response, exchange.request.socket, (bytes) =>
      this.#add(exchange, repository, tag, bytes),
    );
  }

  /** Passes on all sums. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#sums.size === 0) return;
    const sums = [...this.#sums.values()];
    this.#sums = new Map();
    try {
      this.#options.record(sums);
    } catch (error) {
      this.#options.log.error({ error: messageOf(error) }, 'cannot record the bytes that were sent');
    }
  }

  #add({ principal, client }: Exchange, repository: Repository, tag: string | undefined, bytes: number): void {
    if (bytes === 0) return;
    const key = keyOf(principal, client, repository, tag);
    const sum = this.#sums.get(key);
    if (sum !== undefined) {
      sum.bytes += bytes;
      return;
    }
    const { upstream, name } = repository;
    const named = { principal, upstream: upstream.name, repository: name, client, bytes };
    this.#sums.set(key, tag === undefined ? named : { ...named, tag });
    if (this.#sums.size >= limits.egressSumsMax) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), limits.egressKeepMs).unref();
  }
}

/** Unambiguous: only the last part may contain a space, and anonymous clients have two parts fewer. */
function keyOf(principal: Principal | null, client: string, { key }: Repository, tag = ''): string {
  const place = `${key} ${client} ${tag}`;
  return principal === null ? place : `${place} ${principal.org ?? ''} ${principal.subject}`;
}
