import { limits, TonnageError, type Clock } from '../../base/index.ts';
import type { RedisLink } from '../../redis-link/index.ts';
import { keptText, renumber } from './replace.ts';

export interface ReplicasOptions {
  readonly link: RedisLink;
  readonly ledgerId: string;
  readonly clock: Clock;
  /** The number of replicas that must have a write. With 0 no batch is ever confirmed. */
  readonly minReplicas: number;
}

/**
 * Finds out up to which batch enough replicas have everything. The tags of a Cluster are on several nodes, so each
 * written tag is unconfirmed until the replicas of its own node have confirmed it.
 */
export class Replicas {
  readonly #options: ReplicasOptions;
  readonly #unconfirmed = new Set<string>();
  #notBefore = 0;
  #confirmed = 0;

  constructor(options: ReplicasOptions) {
    this.#options = options;
  }

  /** The number of the last batch that enough replicas have. */
  get confirmed(): number {
    return this.#confirmed;
  }

  /** Records a write to the tag of this key. */
  wrote(key: string): void {
    if (this.#options.minReplicas > 0) this.#unconfirmed.add(key);
  }

  /** Records that Redis lost the batches after `to`. */
  rewind(to: number): void {
    this.#confirmed = Math.min(this.#confirmed, to);
  }

  /** Asks the replicas about all writes up to batch `number`. Redis errors only leave the batch unconfirmed. */
  async confirm(number: number): Promise<void> {
    const { clock, minReplicas } = this.#options;
    if (minReplicas === 0 || clock.monotonic() < this.#notBefore) return;
    const keys = [...this.#unconfirmed];
    const ended = await Promise.all(keys.map((key) => this.#isConfirmed(key)));
    for (const [index, key] of keys.entries()) if (ended[index]) this.#unconfirmed.delete(key);
    if (this.#unconfirmed.size === 0) this.#confirmed = Math.max(this.#confirmed, number);
    else this.#notBefore = clock.monotonic() + limits.replicaRetryMs;
  }

  async #isConfirmed(key: string): Promise<boolean> {
    const { link, ledgerId, minReplicas } = this.#options;
    try {
      return (await link.waitReplicas(key, minReplicas, limits.replicaWaitMsMax)) >= minReplicas;
    } catch (error) {
      if (!(error instanceof TonnageError)) throw error;
    }
    try {
      // WAIT covers only the writes of its own connection, and an earlier connection may have written the tag. Write
      // the same number again, so that the next WAIT covers it.
      const kept = await keptText(link, key, ledgerId);
      if (kept === '') return true; // the details of that day were dropped
      await renumber(link, { numbersKey: key, ledgerId, from: kept, to: kept });
    } catch (error) {
      if (!(error instanceof TonnageError)) throw error;
    }
    return false;
  }
}
