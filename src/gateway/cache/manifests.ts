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

/** A manifest, and where it came from. */
export interface Found {
  readonly held: HeldManifest;
  readonly outcome: CacheOutcome;
}

/** What somebody who joined a fetch has got of it: the fetch was another's. */
export function asCoalesced<Of extends Found>(found: Of): Of {
  return found.outcome === 'miss' ? { ...found, outcome: 'coalesced' } : found;
}

/** Manifests by digest, for each repository: in memory, else in the catalog, else from the upstream. */
export class Manifests {
  readonly #catalog: Catalog;
  readonly #links: Links;
  readonly #fusionEntrypoint: string | undefined;
  readonly #keepsChildren: boolean;
  readonly #memory = new Lru<HeldManifest>(limits.manifestMemoryBytesMax, (held) => held.weight);
  readonly #flights = new SingleFlight<Found>();

  constructor(options: {
    readonly catalog: Catalog;
    readonly links: Links;
    readonly fusionEntrypoint: string | undefined;
    /** Whether it matters which manifests an index names. */
    readonly keepsChildren: boolean;
  }) {
    this.#catalog = options.catalog;
    this.#links = options.links;
    this.#fusionEntrypoint = options.fusionEntrypoint;
    this.#keepsChildren = options.keepsChildren;
  }

  /** Whether facts depend on a rule about the entrypoint, which no index says. */
  get needsEntrypoint(): boolean {
    return this.#fusionEntrypoint !== undefined;
  }

  /** Manifests in memory, and what they take. */
  get inMemory(): Amount {
    return { count: this.#memory.size, bytes: this.#memory.weight };
  }

  /** A manifest that is in memory. */
  lookup(repository: Repository, digest: Digest): HeldManifest | undefined {
    return this.#memory.get(keyOf(repository, digest));
  }

  /** A manifest by digest, from wherever it is nearest. Rejects with `UpstreamError` when it cannot be had. */
  get(repository: Repository, digest: Digest): Promise<Found> {
    const held = this.lookup(repository, digest);
    if (held !== undefined) return Promise.resolve({ held, outcome: 'hit' });
    const key = keyOf(repository, digest);
    const joins = this.#flights.has(key);
    const flight = this.#flights.run(key, () => this.#findOrFetch(repository, digest));
    if (!joins) return flight;
    repository.upstream.meters.coalesced.manifest.inc();
    return flight.then(asCoalesced);
  }

  async #findOrFetch(repository: Repository, digest: Digest): Promise<Found> {
    const found = await this.find(repository, digest);
    if (found !== null) return { held: found, outcome: 'hit' };
    return { held: await this.fetch(repository, { kind: 'digest', digest }), outcome: 'miss' };
  }

  /** A manifest by digest that is cached; null when it is not, without asking the upstream. */
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

  /** Fetches a manifest from the upstream and keeps it, with all that it names. Rejects with `UpstreamError`. */
  async fetch(repository: Repository, reference: Reference): Promise<HeldManifest> {
    return this.keep(repository, await repository.upstream.client.getManifest(repository.name, reference));
  }

  /** Keeps a manifest that the upstream gave, with all that it names. */
  async keep(repository: Repository, { digest, body, manifest }: VerifiedManifest): Promise<HeldManifest> {
    const held = new HeldManifest(digest, manifest.mediaType, body);
    const own = factsInManifest(manifest);
    const facts: StoredFacts | null = own === null ? null : { source: 'image', image: own };
    held.facts = own === null ? null : this.#factsOf(own);
    if (this.#keepsChildren) held.children = childrenOf(manifest);
    await this.#links.admit(repository, manifest);
    this.#memory.set(keyOf(repository, digest), held);
    const bodyDigest = manifest.digested === body ? digest : digestOf(digest.algorithm, body);
    this.#catalog.putManifest(repository, digest, { mediaType: held.mediaType, body, facts }, bodyDigest);
    return held;
  }

  /** Keeps the facts that were found for a manifest, for good. */
  learn(repository: Repository, held: HeldManifest, stored: StoredFacts): void {
    held.facts = this.#factsFrom(stored);
    this.#catalog.putFacts(repository, held.digest, stored);
  }

  #factsOf(image: ImageFacts): Facts {
    const fusion = this.#fusionEntrypoint !== undefined && image.entrypoint[0] === this.#fusionEntrypoint;
    return { architecture: image.architecture, fusion };
  }

  /** What an index said is enough only where the entrypoint does not matter, which the configuration may change. */
  #factsFrom(stored: StoredFacts): Facts | null {
    if (stored.source === 'image') return this.#factsOf(stored.image);
    return this.needsEntrypoint ? null : { architecture: stored.architecture, fusion: false };
  }
}

const keyOf = (repository: Repository, digest: Digest): string => `${repository.key} ${digest.text}`;

function childrenOf(manifest: Manifest | null): ReadonlySet<string> {
  return new Set(manifest?.manifests.map(({ digest }) => digest.text));
}

/** The type that a stored manifest has. One that was stored under a generic type is what its body says. */
async function typeOf({ mediaType, body }: StoredManifest): Promise<string> {
  if (isSpecificManifestType(mediaType)) return mediaType;
  const read = await inSlices(readManifest(mediaType, body));
  return 'value' in read ? read.value.mediaType : mediaType;
}

/** What the manifest's body says; null where an earlier release has kept what is refused now. */
export async function reparse(held: HeldManifest): Promise<Manifest | null> {
  const read = await inSlices(readManifest(held.mediaType, held.body));
  return 'value' in read ? read.value : null;
}
