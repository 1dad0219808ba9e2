import { limits, Lru } from '../../base/index.ts';
import type { Digest } from '../../oci/index.ts';
import type { Repository } from '../names.ts';
import { GroupedLru } from '../grouped-lru.ts';
import type { Catalog, Proof } from './catalog.ts';

/**
 * Decides under which repositories cached bytes may be served. Both parts of a `Proof` are required. Without `belongs`,
 * a client that knows the digest of a private layer could read it through a public repository. Without `delivered`, an
 * upstream that claims to have every blob would give access to another upstream's layers. A manifest proves neither.
 */
export class Proofs {
  readonly #catalog: Catalog;
  readonly #belonging = new GroupedLru<true>(limits.gatewayMemoryEntriesMax, limits.repositoryMemoryEntriesMax);
  readonly #delivered = new Lru<true>(limits.gatewayMemoryEntriesMax);

  constructor(catalog: Catalog) {
    this.#catalog = catalog;
  }

  /** Whether memory, without the catalog, proves that this repository may read the cached bytes. */
  isOpen(repository: Repository, { text }: Digest): boolean {
    return (
      this.#belonging.get(repository.key, text) !== undefined &&
      this.#delivered.get(deliveryKey(repository, text)) !== undefined
    );
  }

  /** Returns the proof of a digest, including events that occurred while the catalog was read. */
  async find(repository: Repository, digest: Digest): Promise<Proof> {
    if (!this.isOpen(repository, digest)) {
      const stored = await this.#catalog.proof(repository, digest);
      if (stored.delivered) this.#delivered.set(deliveryKey(repository, digest.text), true);
      if (stored.belongs) this.#belonging.set(repository.key, digest.text, true);
    }
    return {
      delivered: this.#delivered.get(deliveryKey(repository, digest.text)) !== undefined,
      belongs: this.#belonging.get(repository.key, digest.text) !== undefined,
    };
  }

  /** Records that the upstream confirmed this content for the repository. */
  confirmed(repository: Repository, digest: Digest): void {
    this.#belonging.set(repository.key, digest.text, true);
    this.#catalog.putConfirmed(repository, digest);
  }

  /** Records that the upstream sent this content for the repository, with the correct digest. */
  delivered(repository: Repository, digest: Digest): void {
    this.#belonging.set(repository.key, digest.text, true);
    this.#delivered.set(deliveryKey(repository, digest.text), true);
    this.#catalog.putDelivered(repository, digest);
  }
}

const deliveryKey = ({ upstream }: Repository, digest: string): string => `${upstream.name} ${digest}`;
