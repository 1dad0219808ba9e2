import { setImmediate as nextTurn } from 'node:timers/promises';

import { limits } from '../../base/index.ts';
import { descriptorsIn, type Descriptor, type Digest, type Manifest } from '../../oci/index.ts';
import type { Repository } from '../names.ts';
import { GroupedLru } from '../grouped-lru.ts';
import type { Catalog, Link } from './catalog.ts';

/**
 * What a repository's manifests say of the digests that they name. It answers HEAD of a blob and gives the architecture
 * of an index's images. It proves nothing about the bytes: a manifest may name what its repository does not have.
 */
export class Links {
  readonly #catalog: Catalog;
  readonly #memory = new GroupedLru<Link>(limits.gatewayMemoryEntriesMax, limits.repositoryMemoryEntriesMax);

  constructor(catalog: Catalog) {
    this.#catalog = catalog;
  }

  /** What is said of a digest in a repository; null when no manifest there names it. */
  async find(repository: Repository, digest: Digest): Promise<Link | null> {
    const kept = this.#memory.get(repository.key, digest.text);
    if (kept !== undefined) return kept;
    const stored = await this.#catalog.link(repository, digest);
    if (stored !== null) this.#memory.set(repository.key, digest.text, stored);
    return stored;
  }

  /** Remembers all that a manifest names, piece by piece: it may be much. */
  async admit(repository: Repository, manifest: Manifest): Promise<void> {
    const named = descriptorsIn(manifest);
    for (let start = 0; start < named.length; start += limits.linksAtOnceMax) {
      if (named.length > limits.linksAtOnceMax) await nextTurn();
      this.#remember(repository, named.slice(start, start + limits.linksAtOnceMax));
    }
  }

  #remember(repository: Repository, named: readonly Descriptor[]): void {
    const links = new Map<string, Link>();
    for (const { digest, size, architecture } of named) {
      const kept = this.#memory.get(repository.key, digest.text);
      const link = { size: size ?? kept?.size ?? null, architecture: architecture ?? kept?.architecture ?? null };
      this.#memory.set(repository.key, digest.text, link);
      links.set(digest.text, link);
    }
    this.#catalog.putLinks(repository, links);
  }
}
