import { limits, Lru, SingleFlight } from '../../base/index.ts';
import {
  digestOf,
  isSpecificManifestType,
  manifestKindOf,
  readManifest,
  type Digest,
  type ImageFacts,
  type Manifest,
  type Reference,
} from '../../oci/index.ts';
import type { Amount } from '../amount.ts';
import { inSlices } from '../in-slices.ts';
import type { Repository } from '../names.ts';
import type { CacheOutcome } from '../outcome.ts';
import type { VerifiedManifest } from '../upstream/manifest-body.ts';
import type { Catalog, StoredFacts, StoredManifest } from './catalog.ts';
import { factsInManifest, HeldManifest, type Facts } from './held-manifest.ts';
import type { Links } from './links.ts';

/** A manifest and its source. */
export interface Found {
  readonly held: HeldManifest;
  readonly outcome: CacheOutcome;
}

/** Searches for manifests: one for all concurrent requests for the same manifest. */
export class Searches {
  readonly #flights = new SingleFlight<Found>();

  /** Joins the search in progress for `reference`, a tag or a digest, or starts it. */
  run(repository: Repository, reference: string, search: () => Promise<Found>): Promise<Found> {
    const key = `${repository.key} ${reference}`;
    const joins = this.#flights.has(key);
    const flight = this.#flights.run(key, search);
    if (!joins) return flight;
    repository.upstream.meters.coalesced.manifest.inc();
    return flight.then((found) => (found.outcome === 'miss' ? { ...found, outcome: 'coalesced' } : found));
  }
}

/** Manifests by digest and repository: from memory, the catalog or the upstream. */
export class Manifests {
  readonly #catalog: Catalog;
  readonly #links: Links;
  readonly #fusionEntrypoint: string | undefined;
  readonly #keepsChildren: boolean;
  readonly #memory = new Lru<HeldManifest>(limits.manifestMemoryBytesMax, (held) => held.weight);
  readonly #searches = new Searches();

  constructor(options: {
    readonly catalog: Catalog;
    readonly links: Links;
    readonly fusionEntrypoint: string | undefined;
    /** Whether tag memory needs the digests in an index. */
    readonly keepsChildren: boolean;
  }) {
    this.#catalog = options.catalog;
    this.#links = options.links;
    this.#fusionEntrypoint = options.fusionEntrypoint;
    this.#keepsChildren = options.keepsChildren;
  }

  /** Whether facts depend on the entrypoint, which an index does not state. */
  get needsEntrypoint(): boolean {
    return this.#fusionEntrypoint !== undefined;
  }

  /** Manifests in memory and the bytes that they take. */
  get inMemory(): Amount {
    return { count: this.#memory.size, bytes: this.#memory.weight };
  }

  /** A manifest, if it is in memory. */
  lookup(repository: Repository, digest: Digest): HeldManifest | undefined {
    return this.#memory.get(keyOf(repository, digest));
  }

  /** Returns a manifest from memory, the catalog or the upstream. Rejects with `UpstreamError` if it is unavailable. */
  get(repository: Repository, digest: Digest): Promise<Found> {
    const held = this.lookup(repository, digest);
    if (held !== undefined) return Promise.resolve({ held, outcome: 'hit' });
    return this.#searches.run(repository, digest.text, () => this.#findOrFetch(repository, digest));
  }

  async #findOrFetch(repository: Repository, digest: Digest): Promise<Found> {
    const found = await this.find(repository, digest);
    if (found !== null) return { held: found, outcome: 'hit' };
    return { held: await this.fetch(repository, { kind: 'digest', digest }), outcome: 'miss' };
  }

  /** Returns a manifest from memory or the catalog; null on a cache miss. */
  async find(repository: Repository, digest: Digest): Promise<HeldManifest | null> {
    const held = this.lookup(repository, digest);
    if (held !== undefined) return held;
    const stored = await this.#catalog.manifest(repository, digest);
    if (stored === null) return null;
    const loaded = new HeldManifest(digest, await typeOf(stored), stored.body);
    loaded.facts = stored.facts === null ? null : this.#factsFrom(stored.facts);
    if (this.#keepsChildren && manifestKindOf(loaded.mediaType) === 'index') {
      loaded.children = childrenOf(await reparse(loaded));
    }
    this.#memory.set(keyOf(repository, digest), loaded);
    return loaded;
  }

  /** Fetches a manifest from the upstream and caches it. Rejects with `UpstreamError`. */
  async fetch(repository: Repository, reference: Reference): Promise<HeldManifest> {
    return this.keep(repository, await repository.upstream.client.getManifest(repository.name, reference));
  }

  /** Caches a manifest from the upstream, with its links. */
  async keep(repository: Repository, { digest, body, manifest }: VerifiedManifest): Promise<HeldManifest> {
    const held = new HeldManifest(digest, manifest.mediaType, body);
    const own = factsInManifest(manifest);
    const facts: StoredFacts | null = own === null ? null : { source: 'image', image: own };
    held.facts = own === null ? null : this.#factsOf(own);
    if (this.#keepsChildren) held.children = childrenOf(manifest);
    await this.#links.add(repository, manifest);
    this.#memory.set(keyOf(repository, digest), held);
    const bodyDigest = manifest.digested === body ? digest : digestOf(digest.algorithm, body);
    this.#catalog.putManifest(repository, digest, { mediaType: held.mediaType, body, facts }, bodyDigest);
    return held;
  }

  /** Stores the facts of a manifest permanently. */
  learn(repository: Repository, held: HeldManifest, stored: StoredFacts): void {
    held.facts = this.#factsFrom(stored);
    this.#catalog.putFacts(repository, held.digest, stored);
  }

  #factsOf(image: ImageFacts): Facts {
    const fusion = this.#fusionEntrypoint !== undefined && image.entrypoint[0] === this.#fusionEntrypoint;
    return { architecture: image.architecture, fusion };
  }

  /** Facts from an index are enough only if the entrypoint is irrelevant. The configuration may have changed since. */
  #factsFrom(stored: StoredFacts): Facts | null {
    if (stored.source === 'image') return this.#factsOf(stored.image);
    return this.needsEntrypoint ? null : { architecture: stored.architecture, fusion: false };
  }
}

const keyOf = (repository: Repository, digest: Digest): string => `${repository.key} ${digest.text}`;

function childrenOf(manifest: Manifest | null): ReadonlySet<string> {
  return new Set(manifest?.manifests.map(({ digest }) => digest.text));
}

/** Returns the media type of a stored manifest. If it was stored with a generic type, the body decides. */
async function typeOf({ mediaType, body }: StoredManifest): Promise<string> {
  if (isSpecificManifestType(mediaType)) return mediaType;
  const parsed = await inSlices(readManifest(mediaType, body));
  return 'value' in parsed ? parsed.value.mediaType : mediaType;
}

/** Parses a cached manifest. Null if an earlier release cached a body that is now rejected. */
export async function reparse(held: HeldManifest): Promise<Manifest | null> {
  const parsed = await inSlices(readManifest(held.mediaType, held.body));
  return 'value' in parsed ? parsed.value : null;
}
