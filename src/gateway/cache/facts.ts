import { endsWithin, limits, messageOf, SingleFlight, type Log } from '../../base/index.ts';
import { readImageConfig, type Descriptor } from '../../oci/index.ts';
import { inSlices } from '../in-slices.ts';
import type { Repository } from '../names.ts';
import type { BlobAccess } from './blob-access.ts';
import type { StoredFacts } from './catalog.ts';
import { factsInManifest, notAnImage, type Facts, type HeldManifest } from './held-manifest.ts';
import type { Links } from './links.ts';
import { reparse, type Manifests } from './manifests.ts';

export interface FactsFinderOptions {
  readonly manifests: Manifests;
  readonly links: Links;
  readonly access: BlobAccess;
  /** How long one pull waits, in milliseconds. */
  readonly waitMs: number;
  readonly log: Log;
}

/**
 * Finds the facts of images whose manifest does not say them: in the index that named the manifest where that is enough,
 * else in the image config, which comes through the blob cache since clients will ask for it next. What could not be
 * found in time is never kept as unknown: the search goes on, and the next pull asks again.
 */
export class FactsFinder {
  readonly #options: FactsFinderOptions;
  readonly #flights = new SingleFlight<void>();

  constructor(options: FactsFinderOptions) {
    this.#options = options;
  }

  /** The facts of a manifest, after at most `waitMs`. Never rejects: what cannot be found in time is null and counted. */
  async find(repository: Repository, held: HeldManifest): Promise<Facts> {
    const { waitMs, log } = this.#options;
    const search = this.#flights
      .run(`${repository.key} ${held.digest.text}`, () => this.#search(repository, held))
      .catch((error: unknown) =>
        log.warn(
          { upstream: repository.upstream.name, digest: held.digest.text, error: messageOf(error) },
          'the facts of an image could not be found',
        ),
      );
    await endsWithin(waitMs, search);
    if (held.facts !== null) return held.facts;
    repository.upstream.meters.factsUnknown.inc();
    return { architecture: await this.#saidByIndex(repository, held), fusion: false };
  }

  async #search(repository: Repository, held: HeldManifest): Promise<void> {
    const { manifests } = this.#options;
    const manifest = await reparse(held);
    const own = manifest === null ? notAnImage : factsInManifest(manifest);
    if (own !== null) return manifests.learn(repository, held, { source: 'image', image: own });
    const architecture = manifests.needsEntrypoint ? null : await this.#saidByIndex(repository, held);
    if (architecture !== null) return manifests.learn(repository, held, { source: 'index', architecture });
    const config = manifest?.config ?? null;
    if (config !== null) manifests.learn(repository, held, await this.#saidByConfig(repository, config));
  }

  async #saidByIndex(repository: Repository, held: HeldManifest): Promise<string | null> {
    const link = await this.#options.links.find(repository, held.digest);
    return link?.architecture ?? null;
  }

  async #saidByConfig(repository: Repository, config: Descriptor): Promise<StoredFacts> {
    const bytes = await this.#options.access.read(repository, config.digest, config.size, limits.imageConfigBytesMax);
    // A config that is no image's says nothing, and never will: its digest is right.
    return { source: 'image', image: (await inSlices(readImageConfig(bytes, config.mediaType))) ?? notAnImage };
  }
}
