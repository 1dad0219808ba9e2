import { setImmediate as nextTurn } from 'node:timers/promises';

import { limits } from '../../base/index.ts';
import { descriptorsIn, type Descriptor, type Digest, type Manifest } from '../../oci/index.ts';
import type { Repository } from '../names.ts';
import { GroupedLru } from '../grouped-lru.ts';
import type { Catalog, Link } from './catalog.ts';

/**
 * What a repository's manifests state about the digests that they name. It answers HEAD of a blob, and gives the
 * architecture of an index's images. It is no proof: a manifest may name content that its repository does not have.
 */
export class Links {
  readonly #catalog: Catalog;
  readonly #memory = new GroupedLru<Link>(limits.gatewayMemoryEntriesMax, limits.repositoryMemoryEntriesMax);

  constructor(catalog: Catalog) {
    this.#catalog = catalog;
  }

  /** Returns what a repository's manifests state about a digest; null if none names it. */
  async find(repository: Repository, digest: Digest): Promise<Link | null> {
    const kept = this.#memory.get(repository.key, digest.text);
    if (kept !== undefined) return kept;
    const stored = await this.#catalog.link(repository, digest);
    if (stored !== null) this.#memory.set(repository.key, digest.text, stored);
    return stored;
  }

  /** Stores the descriptors of a manifest. Yields to the event loop between chunks, because there may be many. */
  async add(repository: Repository, manifest: Manifest): Promise<void> {
    const descriptors = descriptorsIn(manifest);
    for (let start = 0; start < descriptors.length; start += limits.linksAtOnceMax) {
      if (descriptors.length > limits.linksAtOnceMax) await nextTurn();
      this.#addAll(repository, descriptors.slice(start, start + limits.linksAtOnceMax));
    }
  }

  #addAll(repository: Repository, descriptors: readonly Descriptor[]): void {
    const links = new Map<string, Link>();
    for (const { digest, size, architecture } of descriptors) {
      const kept = this.#memory.get(repository.key, digest.text);
      const link = { size: size ?? kept?.size ?? null, architecture: architecture ?? kept?.architecture ?? null };
      this.#memory.set(repository.key, digest.text, link);
      links.set(digest.text, link);
    }
    this.#catalog.putLinks(repository, links);
  }
}
