import { limits, type Clock } from '../base/index.ts';
import type { Digest } from '../oci/index.ts';
import type { HeldManifest } from './cache/held-manifest.ts';
import type { Exchange } from './exchange.ts';
import type { Repository } from './names.ts';
import { GroupedLru } from './grouped-lru.ts';

/** A tag that a client has resolved. */
interface Resolved {
  readonly tag: string;
  readonly digest: string;
  /** Digests of the manifests in an index. */
  readonly children: ReadonlySet<string>;
  /** On the monotonic clock, in milliseconds. */
  atMs: number;
}

/**
 * The tags that clients have resolved recently. Clients first request a tag, and then the manifest by digest, or one
 * that the index names. Such a request gets the tag. Tags are kept per client (its principal, otherwise its address)
 * and repository. Requests without credentials from an unknown address get no tag.
 */
export class TagMemory {
  readonly #memoryMs: number;
  readonly #clock: Clock;
  /** By client and repository, with a limited share per client. The latest tag comes first. */
  readonly #resolved: GroupedLru<readonly Resolved[]>;

  /** `digestsMax`: limit of all digests in memory, including those named by indexes. */
  constructor(memoryMs: number, clock: Clock, digestsMax: number = limits.tagMemoryDigestsMax) {
    this.#memoryMs = memoryMs;
    this.#clock = clock;
    this.#resolved = new GroupedLru(digestsMax, limits.tagMemoryShareMax, weightOf);
  }

  /** Records that a client has resolved a tag to a manifest. */
  remember(exchange: Exchange, repository: Repository, tag: string, held: HeldManifest): void {
    const client = clientOf(exchange);
    if (client === undefined) return;
    const now = this.#clock.monotonic();
    const before = this.#resolved.get(client, repository.key) ?? [];
    const [latest] = before;
    // The common case: the client pulls the same image again.
    if (latest !== undefined && isSame(latest, tag, held)) {
      latest.atMs = now;
      return;
    }
    const others = before.filter((each) => !isSame(each, tag, held) && this.#isRecent(each, now));
    const added: Resolved = { tag, digest: held.digest.text, children: held.children, atMs: now };
    this.#resolved.set(client, repository.key, [added, ...others.slice(0, limits.tagMemoryTagsMax - 1)]);
  }

  /** Returns the tag for a request by digest; `undefined` if the client has not resolved one to this digest. */
  find(exchange: Exchange, repository: Repository, digest: Digest): string | undefined {
    const client = clientOf(exchange);
    const resolved = client === undefined ? undefined : this.#resolved.get(client, repository.key);
    if (resolved === undefined) return undefined;
    const now = this.#clock.monotonic();
    return resolved.find(
      (each) => (each.digest === digest.text || each.children.has(digest.text)) && this.#isRecent(each, now),
    )?.tag;
  }

  #isRecent({ atMs }: Resolved, now: number): boolean {
    return now - atMs <= this.#memoryMs;
  }
}

function isSame(resolved: Resolved, tag: string, held: HeldManifest): boolean {
  return resolved.tag === tag && resolved.digest === held.digest.text;
}

/** One per digest, plus one per list. */
function weightOf(resolved: readonly Resolved[]): number {
  return resolved.reduce((sum, { children }) => sum + 1 + children.size, 1);
}

/** The principal identifies the client. If it represents a network, or there is none, the address does. */
function clientOf({ principal, client }: Exchange): string | undefined {
  if (principal !== null && principal.isNetwork !== true) return `${principal.org ?? ''} ${principal.subject}`;
  return client === '' ? undefined : client;
}
