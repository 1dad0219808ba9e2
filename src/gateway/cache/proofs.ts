import { limits, Lru } from '../../base/index.ts';
import type { Digest } from '../../oci/index.ts';
import type { Repository } from '../names.ts';
import { GroupedLru } from '../grouped-lru.ts';
import type { Catalog, Proof } from './catalog.ts';

/**
 * Under which repositories cached bytes may be served. It takes both parts of a `Proof`: without `belongs`, a client that
 * knows the digest of a private layer could read it through a public repository. Without `delivered`, an upstream that
 * claims to have everything could open the layers of another one. What a manifest names proves neither.
 */
export class Proofs {
  readonly #catalog: Catalog;
  readonly #belonging = new GroupedLru<true>(limits.gatewayMemoryEntriesMax, limits.repositoryMemoryEntriesMax);
  readonly #delivered = new Lru<true>(limits.gatewayMemoryEntriesMax);

  constructor(catalog: Catalog) {
    this.#catalog = catalog;
  }

  /** Whether cached bytes are known, without the catalog, to be open to this repository. */
  isOpen(repository: Repository, { text }: Digest): boolean {
    return (
      this.#belonging.get(repository.key, text) !== undefined &&
      this.#delivered.get(deliveryKey(repository, text)) !== undefined
    );
  }

  /** What is proven by now: what happened while the catalog was read is in it. */
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

  /** The upstream has confirmed that the repository has this content. */
  confirmed(repository: Repository, digest: Digest): void {
    this.#belonging.set(repository.key, digest.text, true);
    this.#catalog.putConfirmed(repository, digest);
  }

  /** The upstream has sent this content for the repository, and its digest was right. */
  delivered(repository: Repository, digest: Digest): void {
    this.#belonging.set(repository.key, digest.text, true);
    this.#delivered.set(deliveryKey(repository, digest.text), true);
    this.#catalog.putDelivered(repository, digest);
  }
}

const deliveryKey = ({ upstream }: Repository, digest: string): string => `${upstream.name} ${digest}`;
