import { limits, TonnageError, type Clock } from '../../base/index.ts';
import type { RedisLink } from '../../redis-link/index.ts';
import { keptText, renumber } from './replace.ts';

export interface ReplicasOptions {
  readonly link: RedisLink;
  readonly ledgerId: string;
  readonly clock: Clock;
  /** How many replicas must have a write. With 0 nothing is ever confirmed. */
  readonly minReplicas: number;
}

/**
 * Finds out up to which batch enough replicas have everything. A tag that has been written counts as unconfirmed until
 * its own server's replicas have answered for it, since the tags of a Cluster lie on several servers.
 */
export class Replicas {
  readonly #options: ReplicasOptions;
  readonly #unconfirmed = new Set<string>();
  #notBefore = 0;
  #confirmed = 0;

  constructor(options: ReplicasOptions) {
    this.#options = options;
  }

  /** Number of the last batch that enough replicas have. */
  get confirmed(): number {
    return this.#confirmed;
  }

  /** Something was written to the tag of this key. */
  wrote(key: string): void {
    if (this.#options.minReplicas > 0) this.#unconfirmed.add(key);
  }

  /** The store lost what came after batch `to`. */
  rewind(to: number): void {
    this.#confirmed = Math.min(this.#confirmed, to);
  }

  /** Asks the replicas for all that was written, where batch `number` is the last of it. Never rejects for their sake. */
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
      // Another connection has written it. The same number once more makes it this one's, for the next time.
      const kept = await keptText(link, key, ledgerId);
      if (kept === '') return true; // the details of that day have left
      await renumber(link, { numbersKey: key, ledgerId, from: kept, to: kept });
    } catch (error) {
      if (!(error instanceof TonnageError)) throw error;
    }
    return false;
  }
}
