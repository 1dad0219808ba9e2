import { limits, Lru, type Clock } from '../../base/index.ts';
import type { Reference } from '../../oci/index.ts';
import type { Repository } from '../names.ts';
import { UpstreamError } from '../upstream/failure.ts';
import type { Catalog, StoredTag } from './catalog.ts';
import type { HeldManifest } from './held-manifest.ts';
import { Searches, type Found, type Manifests } from './manifests.ts';

/** A tag in memory. `retryAtMs`: the earliest next request after a failure, in milliseconds since the epoch; null if none. */
interface KnownTag extends StoredTag {
  readonly retryAtMs: number | null;
}

/**
 * Resolves tags. A tag is served for its time to live, then it is revalidated at its upstream, once for all concurrent
 * requests. If the upstream fails, the old manifest is served as stale.
 */
export class Tags {
  readonly #catalog: Catalog;
  readonly #manifests: Manifests;
  readonly #clock: Clock;
  readonly #onStale: (repository: Repository, error: UpstreamError) => void;
  readonly #memory = new Lru<KnownTag>(limits.gatewayMemoryEntriesMax);
  readonly #searches = new Searches();

  constructor(options: {
    readonly catalog: Catalog;
    readonly manifests: Manifests;
    readonly clock: Clock;
    /** Called when an upstream failed and the old manifest of a tag is served. */
    readonly onStale: (repository: Repository, error: UpstreamError) => void;
  }) {
    this.#catalog = options.catalog;
    this.#manifests = options.manifests;
    this.#clock = options.clock;
    this.#onStale = options.onStale;
  }

  /** Returns the manifest of a tag if memory alone can answer it. */
  lookup(repository: Repository, tag: string): HeldManifest | undefined {
    const known = this.#memory.get(keyOf(repository, tag));
    if (known === undefined || known.retryAtMs !== null || !this.#isFresh(repository, known)) return undefined;
    return this.#manifests.lookup(repository, known.digest);
  }

  /** Number of tags in memory. */
  get inMemory(): number {
    return this.#memory.size;
  }

  /**
   * Returns the current manifest of a tag. The outcome `stale` means that the upstream failed to revalidate it. Rejects
   * with `UpstreamError` if there is no manifest to serve.
   */
  get(repository: Repository, tag: string): Promise<Found> {
    return this.#searches.run(repository, tag, () => this.#resolve(repository, tag));
  }

  async #resolve(repository: Repository, tag: string): Promise<Found> {
    const known = await this.#known(repository, tag);
    if (known === null) return { held: await this.#fetch(repository, tag), outcome: 'miss' };
    if (this.#isFresh(repository, known)) return this.#manifests.get(repository, known.digest);
    const old = await this.#manifests.find(repository, known.digest);
    if (old === null) return { held: await this.#fetch(repository, tag), outcome: 'miss' };
    if (known.retryAtMs !== null && this.#clock.now() < known.retryAtMs) return { held: old, outcome: 'stale' };
    return this.#revalidate(repository, tag, known, old);
  }

  async #known(repository: Repository, tag: string): Promise<KnownTag | null> {
    const kept = this.#memory.get(keyOf(repository, tag));
    if (kept !== undefined) return kept;
    const stored = await this.#catalog.tag(repository, tag);
    if (stored === null) return null;
    const known = { ...stored, retryAtMs: null };
    this.#memory.set(keyOf(repository, tag), known);
    return known;
  }

  async #revalidate(repository: Repository, tag: string, known: KnownTag, old: HeldManifest): Promise<Found> {
    try {
      const reference: Reference = { kind: 'tag', tag };
      const { client } = repository.upstream;
      const msMax = limits.tagRevalidateMsMax;
      const changed = await client.changedManifest(repository.name, reference, old.digest, msMax);
      const held = changed === null ? old : await this.#manifests.keep(repository, changed);
      this.#remember(repository, tag, held);
      return { held, outcome: changed === null ? 'revalidated' : 'miss' };
    } catch (error) {
      if (!(error instanceof UpstreamError)) throw error;
      if (error.kind === 'missing') this.#forget(repository, tag);
      if (!mayServeStale(error, known)) throw error;
      this.#memory.set(keyOf(repository, tag), { ...known, retryAtMs: this.#clock.now() + limits.tagRetryMs });
      this.#onStale(repository, error);
      return { held: old, outcome: 'stale' };
    }
  }

  async #fetch(repository: Repository, tag: string): Promise<HeldManifest> {
    const held = await this.#manifests.fetch(repository, { kind: 'tag', tag });
    this.#remember(repository, tag, held);
    return held;
  }

  #remember(repository: Repository, tag: string, held: HeldManifest): void {
    const checkedMs = this.#clock.now();
    const stored: StoredTag = { digest: held.digest, checkedMs, authenticated: repository.upstream.authenticated };
    this.#memory.set(keyOf(repository, tag), { ...stored, retryAtMs: null });
    this.#catalog.putTag(repository, tag, stored);
  }

  #forget(repository: Repository, tag: string): void {
    this.#memory.delete(keyOf(repository, tag));
    this.#catalog.deleteTag(repository, tag);
  }

  /** A clock that was set back makes ages negative: revalidate such a tag instead of serving it for ever. */
  #isFresh(repository: Repository, known: KnownTag): boolean {
    const ageMs = this.#clock.now() - known.checkedMs;
    return ageMs >= 0 && ageMs < repository.upstream.tagTtlMs;
  }
}

const keyOf = (repository: Repository, tag: string): string => `${repository.key} ${tag}`;

/**
 * Whether the old manifest of a tag may be served although revalidation failed. Not if the tag is gone. Not if the
 * manifest was fetched with credentials that are now rejected, because access may have been revoked.
 */
function mayServeStale(error: UpstreamError, known: StoredTag): boolean {
  if (error.kind === 'missing') return false;
  return error.kind !== 'refused' || !known.authenticated;
}
