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

/** RFC 9111 made the `Warning` header obsolete, but clients and people still know this code. */
const staleWarning: HeaderList = ['Warning', '110 - "Response is Stale"'];

export interface ManifestHandlerOptions {
  readonly manifests: Manifests;
  readonly tags: Tags;
  /** Absent: requests by digest get no tag. */
  readonly tagMemory: TagMemory | undefined;
  readonly facts: FactsFinder;
  readonly egress: EgressTally;
  readonly record: GatewayOptions['record'];
  readonly log: Log;
}

interface Target {
  readonly repository: Repository;
  readonly reference: Reference;
  /** The requested tag, or the tag that the client has resolved to the requested digest. */
  readonly tag: string | undefined;
}

/**
 * Answers GET and HEAD of manifests, and counts pulls: each GET of a single image that is answered with 200. A manifest
 * in memory is answered synchronously, unless `record` returns a promise.
 */
export class ManifestHandler {
  readonly #options: ManifestHandlerOptions;

  constructor(options: ManifestHandlerOptions) {
    this.#options = options;
  }

  /** Rejects with `UpstreamError` if the manifest does not exist or is unavailable. */
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
    this.#rememberTag(exchange, target, held);
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

  /** Stores the tag for the client's next request by digest, also through an index that it requested by digest. */
  #rememberTag(exchange: Exchange, { repository, reference, tag }: Target, held: HeldManifest): void {
    const { tagMemory } = this.#options;
    if (tagMemory === undefined || tag === undefined) return;
    if (reference.kind === 'tag' || !held.counts) tagMemory.remember(exchange, repository, tag, held);
  }

  /** The only place where a pull is counted: the response is ready and the client is connected. */
  #count(exchange: Exchange, target: Target, found: Found, facts: Facts): Promise<void> | void {
    if (!isConnected(exchange)) return;
    if (isHalfClosed(exchange)) return this.#countIfRead(exchange, target, found, facts);
    // Before the pull is recorded: if the headers cannot be written, the client gets an error and nothing is counted.
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

  /** Counts the pull of a half-closed client, unless it turns out to have disconnected. */
  async #countIfRead(exchange: Exchange, target: Target, found: Found, facts: Facts): Promise<void> {
    const begun = await this.#begin(exchange, target, found);
    if (begun === undefined) return;
    await this.#record(exchange, target, facts);
    if (isConnected(exchange)) this.#sendRest(exchange, target, found, begun);
    else target.repository.upstream.meters.countedAborted.inc();
  }

  /** Sends the headers and the first byte of the body. Resolves with `undefined` if the client has disconnected. */
  async #begin(exchange: Exchange, { repository, tag }: Target, found: Found): Promise<BodyCount | undefined> {
    if (!isConnected(exchange)) return undefined;
    const count = this.#options.egress.pieces(exchange, repository, tag);
    this.#writeHead(exchange, found);
    count.sending(1);
    if (!(await stillReads(exchange.response, found.held.body.subarray(0, 1)))) return undefined;
    count.sent();
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

  /** Sends a 200, and updates metrics and egress in the same turn of the event loop. */
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

  /** The manifest is served even if the pull cannot be recorded: the ledger keeps and reports unsaved pulls. */
  #record(exchange: Exchange, target: Target, facts: Facts): Promise<void> | undefined {
    try {
      const recorded = this.#options.record(pullOf(exchange, target, facts));
      return recorded instanceof Promise ? recorded.catch((error: unknown) => this.#logUnrecorded(error)) : undefined;
    } catch (error) {
      this.#logUnrecorded(error);
      return undefined;
    }
  }

  #logUnrecorded(error: unknown): void {
    this.#options.log.error({ error: messageOf(error) }, 'cannot record a pull; the gateway answers it anyway');
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
