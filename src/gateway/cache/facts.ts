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
  /** How long a pull waits, in milliseconds. */
  readonly waitMs: number;
  readonly log: Log;
}

/**
 * Finds the facts of images that are not in the manifest: in the index if that is enough, otherwise in the image
 * config. The config goes through the blob cache, because clients request it next. After a timeout, the search
 * continues in the background and nothing is stored as unknown, so that the next pull finds the facts.
 */
export class FactsFinder {
  readonly #options: FactsFinderOptions;
  readonly #flights = new SingleFlight<void>();

  constructor(options: FactsFinderOptions) {
    this.#options = options;
  }

  /** Returns a manifest's facts after at most `waitMs`. Never rejects: facts not found in time are null and counted. */
  async find(repository: Repository, held: HeldManifest): Promise<Facts> {
    const { waitMs, log } = this.#options;
    const search = this.#flights
      .run(`${repository.key} ${held.digest.text}`, () => this.#search(repository, held))
      .catch((error: unknown) =>
        log.warn(
          { upstream: repository.upstream.name, digest: held.digest.text, error: messageOf(error) },
          'cannot find the facts of an image',
        ),
      );
    await endsWithin(waitMs, search);
    if (held.facts !== null) return held.facts;
    repository.upstream.meters.factsUnknown.inc();
    return { architecture: await this.#fromIndex(repository, held), fusion: false };
  }

  async #search(repository: Repository, held: HeldManifest): Promise<void> {
    const { manifests } = this.#options;
    const manifest = await reparse(held);
    const own = manifest === null ? notAnImage : factsInManifest(manifest);
    if (own !== null) return manifests.learn(repository, held, { source: 'image', image: own });
    const architecture = manifests.needsEntrypoint ? null : await this.#fromIndex(repository, held);
    if (architecture !== null) return manifests.learn(repository, held, { source: 'index', architecture });
    const config = manifest?.config ?? null;
    if (config !== null) manifests.learn(repository, held, await this.#fromConfig(repository, config));
  }

  async #fromIndex(repository: Repository, held: HeldManifest): Promise<string | null> {
    const link = await this.#options.links.find(repository, held.digest);
    return link?.architecture ?? null;
  }

  async #fromConfig(repository: Repository, config: Descriptor): Promise<StoredFacts> {
    const bytes = await this.#options.access.read(repository, config.digest, config.size, limits.imageConfigBytesMax);
    // A verified config that is not an image config will never have facts.
    return { source: 'image', image: (await inSlices(readImageConfig(bytes, config.mediaType))) ?? notAnImage };
  }
}
