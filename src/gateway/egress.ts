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
 * Sums the bytes of bodies that were sent, by whom they went to and where they came from, and hands the sums on a little
 * later: so that an answer costs an addition here, and not a count in the ledger. What is in memory is bounded.
 */
export class EgressTally {
  readonly #options: EgressTallyOptions;
  #sums = new Map<string, Sum>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: EgressTallyOptions) {
    this.#options = options;
  }

  /** Counts an answer whose body of `bytes` has been handed over as a whole: at once when it has left, else at its end. */
  whole(exchange: Exchange, repository: Repository, bytes: number, tag?: string): void {
    const { response } = exchange;
    const { socket } = exchange.request;
    if (response.writableFinished && !socket.destroyed && socket.errored === null) {
      this.#add(exchange, repository, tag, bytes);
    } else {
      this.pieces(exchange, repository, tag).sending(bytes);
    }
  }

  /** Counts an answer whose body goes out piece by piece, at its end. */
  pieces(exchange: Exchange, repository: Repository, tag?: string): BodyCount {
    return new BodyCount(exchange.response, exchange.request.socket, (bytes) =>
      this.#add(exchange, repository, tag, bytes),
    );
  }

  /** Hands on what is in memory. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#sums.size === 0) return;
    const sums = [...this.#sums.values()];
    this.#sums = new Map();
    try {
      this.#options.record(sums);
    } catch (error) {
      this.#options.log.error({ error: messageOf(error) }, 'bytes were sent, but could not be recorded');
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

/** Of these parts only the last may hold a space, and who is anonymous has two fewer. */
function keyOf(principal: Principal | null, client: string, { key }: Repository, tag = ''): string {
  const place = `${key} ${client} ${tag}`;
  return principal === null ? place : `${place} ${principal.org ?? ''} ${principal.subject}`;
}
