import { limits } from '../../base/index.ts';
import { namedBy, type Digest, type Manifest } from '../../oci/index.ts';
import { Lru } from '../lru.ts';
import type { Repository } from '../names.ts';
import type { Catalog, Link } from './catalog.ts';

/**
 * Which digests belong to which repository: what its cached manifests name, and what its upstream has confirmed. Whoever
 * may read one repository must not read another's private layers merely by knowing their digests.
 */
export class Links {
  readonly #catalog: Catalog;
  readonly #memory = new Lru<Link>(limits.gatewayMemoryEntriesMax);

  constructor(catalog: Catalog) {
    this.#catalog = catalog;
  }

  /** Whether a digest is known, without the catalog, to belong to a repository. */
  has(repository: Repository, digest: Digest): boolean {
    return this.#memory.get(keyOf(repository, digest.text)) !== undefined;
  }

  /** What is known of a digest in a repository; null when nothing there names it. */
  async find(repository: Repository, digest: Digest): Promise<Link | null> {
    const key = keyOf(repository, digest.text);
    const kept = this.#memory.get(key);
    if (kept !== undefined) return kept;
    const stored = await this.#catalog.link(repository, digest);
    if (stored !== null) this.#memory.set(key, stored);
    return stored;
  }

  /** Remembers that the upstream has confirmed a digest, with the size that it said. */
  confirm(repository: Repository, digest: Digest, size: number | null): Link {
    const link = { size, architecture: null };
    this.#memory.set(keyOf(repository, digest.text), link);
    this.#catalog.putLink(repository, digest, link);
    return link;
  }

  /** Remembers in memory all that a manifest names, and answers it for the catalog. */
  admit(repository: Repository, manifest: Manifest): ReadonlyMap<string, Link> {
    const links = new Map<string, Link>();
    for (const { digest, size, architecture } of namedBy(manifest)) {
      const key = keyOf(repository, digest.text);
      const kept = this.#memory.get(key);
      const link = { size: size ?? kept?.size ?? null, architecture: architecture ?? kept?.architecture ?? null };
      this.#memory.set(key, link);
      links.set(digest.text, link);
    }
    return links;
  }
}

const keyOf = (repository: Repository, digest: string): string => `${repository.key} ${digest}`;
