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
  /** Manifests that the digest names, where it is an index. */
  readonly children: ReadonlySet<string>;
  /** Monotonic, in milliseconds. */
  atMs: number;
}

/**
 * Tags that clients have resolved lately. Clients ask for a tag first, and then by digest for the manifest that they found,
 * or for one that the index names: such a request takes the tag. Each client (its principal, else its address) has its own
 * tags, by repository. Requests of unknown clients without credentials take none.
 */
export class TagMemory {
  readonly #memoryMs: number;
  readonly #clock: Clock;
  /** By client and repository; a client has a bounded share. What was resolved last comes first. */
  readonly #resolved: GroupedLru<readonly Resolved[]>;

  /** `digestsMax`: digests remembered at once, those that indexes name included. */
  constructor(memoryMs: number, clock: Clock, digestsMax: number = limits.tagMemoryDigestsMax) {
    this.#memoryMs = memoryMs;
    this.#clock = clock;
    this.#resolved = new GroupedLru(digestsMax, limits.tagMemoryShareMax, weightOf);
  }

  /** Notes that a client has resolved a tag to a manifest. */
  note(exchange: Exchange, repository: Repository, tag: string, held: HeldManifest): void {
    const client = clientOf(exchange);
    if (client === undefined) return;
    const now = this.#clock.monotonic();
    const before = this.#resolved.get(client, repository.key) ?? [];
    const [latest] = before;
    // The usual case: a client that pulls the same image again.
    if (latest !== undefined && isSame(latest, tag, held)) {
      latest.atMs = now;
      return;
    }
    const others = before.filter((each) => !isSame(each, tag, held) && this.#isRecent(each, now));
    const added: Resolved = { tag, digest: held.digest.text, children: held.children, atMs: now };
    this.#resolved.set(client, repository.key, [added, ...others.slice(0, limits.tagMemoryTagsMax - 1)]);
  }

  /** The tag that a request by digest takes; `undefined` when its client has resolved none that leads there. */
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

/** One for each digest, and for each set of them. */
function weightOf(resolved: readonly Resolved[]): number {
  return resolved.reduce((sum, { children }) => sum + 1 + children.size, 1);
}

/** The client is its principal; where that stands for a network, or there is none, its address. */
function clientOf({ principal, client }: Exchange): string | undefined {
  if (principal !== null && principal.isNetwork !== true) return `${principal.org ?? ''} ${principal.subject}`;
  return client === '' ? undefined : client;
}
