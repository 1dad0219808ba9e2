import { messageOf, type Log } from '../base/index.ts';
import type { Reference } from '../oci/index.ts';
import type { BodyCount } from './body-count.ts';
import type { FactsFinder } from './cache/facts.ts';
import type { Facts, HeldManifest } from './cache/held-manifest.ts';
import type { Found, Manifests } from './cache/manifests.ts';
import type { Tags } from './cache/tags.ts';
import type { EgressTally } from './egress.ts';
import { isConnected, isHead, writeHead, type Exchange } from './exchange.ts';
import { isHalfClosed, stillReads } from './half-closed.ts';
import { matchesETag, type HeaderList } from './headers.ts';
import type { Repository } from './names.ts';
import type { GatewayOptions, Pull } from './options.ts';
import type { TagMemory } from './tag-memory.ts';

/** RFC 9111 took the header's registry of codes away, but this one is what clients and people still know. */
const staleWarning: HeaderList = ['Warning', '110 - "Response is Stale"'];

export interface ManifestHandlerOptions {
  readonly manifests: Manifests;
  readonly tags: Tags;
  /** Absent where the tags of requests by digest do not matter. */
  readonly tagMemory: TagMemory | undefined;
  readonly facts: FactsFinder;
  readonly egress: EgressTally;
  readonly record: GatewayOptions['record'];
  readonly log: Log;
}

/** What is asked for, and as which repository it is counted. */
interface Target {
  readonly repository: Repository;
  readonly reference: Reference;
  /** The tag that is asked for, or that the client has resolved to what it asks for by digest. */
  readonly tag: string | undefined;
}

/**
 * Answers GET and HEAD of manifests, and counts pulls: a GET of a single image that is answered with 200. A manifest
 * that is in memory is answered without a promise, unless recording the pull makes one.
 */
export class ManifestHandler {
  readonly #options: ManifestHandlerOptions;

  constructor(options: ManifestHandlerOptions) {
    this.#options = options;
  }

  /** Rejects with `UpstreamError` when there is no such manifest, or it cannot be had. */
  serve(exchange: Exchange, repository: Repository, reference: Reference): Promise<void> | void {
    const { tags, manifests, tagMemory } = this.#options;
    const isTag = reference.kind === 'tag';
    const tag = isTag ? reference.tag : tagMemory?.find(exchange, repository, reference.digest);
    const target = { repository, reference, tag };
    const held =
      reference.kind === 'tag'
        ? tags.lookup(repository, reference.tag)
        : manifests.lookup(repository, reference.digest);
    return held === undefined
      ? this.#fetch(exchange, target)
      : this.#answer(exchange, target, { held, outcome: 'hit' });
  }

  async #fetch(exchange: Exchange, target: Target): Promise<void> {
    const { tags, manifests } = this.#options;
    const { repository, reference } = target;
    let found: Found;
    try {
      found = await (reference.kind === 'tag'
        ? tags.get(repository, reference.tag)
        : manifests.get(repository, reference.digest));
    } catch (error) {
      repository.upstream.meters.pulls.resolved('failed');
      throw error;
    }
    return this.#answer(exchange, target, found);
  }

  #answer(exchange: Exchange, target: Target, found: Found): Promise<void> | void {
    const { held, outcome } = found;
    const { meters } = target.repository.upstream;
    meters.pulls.resolved(outcome);
    this.#noteTag(exchange, target, held);
    if (matchesETag(exchange.request.headers['if-none-match'], held.etag)) {
      writeHead(
        exchange,
        304,
        outcome === 'stale' ? [...held.unchangedHeaders, ...staleWarning] : held.unchangedHeaders,
      );
      exchange.response.end();
      meters.answers('manifest', outcome).whole(exchange.startedMs, 0);
      return;
    }
    if (!held.counts || isHead(exchange)) return this.#send(exchange, target, found);
    if (held.facts !== null) return this.#count(exchange, target, found, held.facts);
    return this.#options.facts
      .find(target.repository, held)
      .then((facts) => this.#count(exchange, target, found, facts));
  }

  /** What the client asks for by digest next takes this tag, also where an index that it found by digest names it. */
  #noteTag(exchange: Exchange, { repository, reference, tag }: Target, held: HeldManifest): void {
    const { tagMemory } = this.#options;
    if (tagMemory === undefined || tag === undefined) return;
    if (reference.kind === 'tag' || !held.counts) tagMemory.note(exchange, repository, tag, held);
  }

  /** The one place where a pull is counted: everything is ready, and somebody is there to take it. */
  #count(exchange: Exchange, target: Target, found: Found, facts: Facts): Promise<void> | void {
    if (!isConnected(exchange)) return;
    if (isHalfClosed(exchange)) return this.#countIfRead(exchange, target, found, facts);
    // Before the pull is recorded: one whose answer cannot be begun is refused, and counts nothing.
    this.#writeHead(exchange, found);
    const recorded = this.#record(exchange, target, facts);
    if (recorded === undefined) return this.#send(exchange, target, found);
    return recorded.then(async () => {
      if (isConnected(exchange) && !isHalfClosed(exchange)) return this.#send(exchange, target, found);
      const begun = await this.#begin(exchange, target, found);
      if (begun === undefined) target.repository.upstream.meters.countedAborted.inc();
      else this.#sendRest(exchange, target, found, begun);
    });
  }

  /** Counts the pull of a client that has closed its sending side, unless it turns out to have left. */
  async #countIfRead(exchange: Exchange, target: Target, found: Found, facts: Facts): Promise<void> {
    const begun = await this.#begin(exchange, target, found);
    if (begun === undefined) return;
    await this.#record(exchange, target, facts);
    if (isConnected(exchange)) this.#sendRest(exchange, target, found, begun);
    else target.repository.upstream.meters.countedAborted.inc();
  }

  /** Sends the head and the first byte of the body to a client that may have left; `undefined` when it has. */
  async #begin(exchange: Exchange, { repository, tag }: Target, found: Found): Promise<BodyCount | undefined> {
    if (!isConnected(exchange)) return undefined;
    const count = this.#options.egress.pieces(exchange, repository, tag);
    this.#writeHead(exchange, found);
    count.sending(1);
    if (!(await stillReads(exchange.response, found.held.body.subarray(0, 1)))) return undefined;
    count.taken();
    return count;
  }

  #sendRest(exchange: Exchange, { repository }: Target, { held, outcome }: Found, count: BodyCount): void {
    const { meters } = repository.upstream;
    count.sending(held.body.byteLength - 1);
    exchange.response.end(held.body.subarray(1));
    meters.pulls.sent(false, outcome);
    meters.answers('manifest', outcome).whole(exchange.startedMs, held.body.byteLength);
  }

  #writeHead(exchange: Exchange, { held, outcome }: Found): void {
    if (exchange.response.headersSent) return;
    writeHead(exchange, 200, outcome === 'stale' ? [...held.headers, ...staleWarning] : held.headers);
  }

  /** Answers with 200, and counts the answer in the same turn. */
  #send(exchange: Exchange, { repository, tag }: Target, found: Found): void {
    if (!isConnected(exchange)) return;
    const { held, outcome } = found;
    const { meters } = repository.upstream;
    const head = isHead(exchange);
    this.#writeHead(exchange, found);
    exchange.response.end(head ? undefined : held.body);
    const bytes = head ? 0 : held.body.byteLength;
    meters.pulls.sent(head, outcome);
    meters.answers('manifest', outcome).whole(exchange.startedMs, bytes);
    if (!head) this.#options.egress.whole(exchange, repository, bytes, tag);
  }

  /** A pull that could not be recorded is served all the same: the ledger keeps what it owes, and says so. */
  #record(exchange: Exchange, target: Target, facts: Facts): Promise<void> | undefined {
    try {
      const recorded = this.#options.record(pullOf(exchange, target, facts));
      return recorded instanceof Promise ? recorded.catch((error: unknown) => this.#unrecorded(error)) : undefined;
    } catch (error) {
      this.#unrecorded(error);
      return undefined;
    }
  }

  #unrecorded(error: unknown): void {
    this.#options.log.error({ error: messageOf(error) }, 'a pull was answered, but could not be recorded');
  }
}

function pullOf(exchange: Exchange, { repository, tag }: Target, facts: Facts): Pull {
  const pull: { -readonly [Member in keyof Pull]: Pull[Member] } = {
    principal: exchange.principal,
    upstream: repository.upstream.name,
    repository: repository.name,
    fusion: facts.fusion,
    client: exchange.client,
  };
  if (tag !== undefined) pull.tag = tag;
  if (facts.architecture !== null) pull.arch = facts.architecture;
  return pull;
}
