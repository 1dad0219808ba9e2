import { limits, TonnageError, type Clock, type Log } from '../../base/index.ts';
import { numbersKey } from '../layout.ts';
import type { RedisLink } from '../../redis-link/index.ts';

export interface GuardOptions {
  readonly link: RedisLink;
  readonly ledgerId: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Deliver also to a store that throws data away when its memory is full. */
  readonly allowEviction: boolean;
  /** Other ledgers count into the same store, and that is meant. */
  readonly shared: boolean;
}

/** Asks, before anything is written, whether the store keeps what it is given, and whether somebody else writes there. */
export class StoreGuard {
  readonly #options: GuardOptions;
  #checkedAt: number | undefined;
  #othersTold = false;

  constructor(options: GuardOptions) {
    this.#options = options;
  }

  /** What was found out is not held to be true any more: the server may be another one. */
  forget(): void {
    this.#checkedAt = undefined;
  }

  /**
   * Answers whether it has asked Redis, which it does only when the last answer has aged. Rejects with `store_evicts`, or
   * with the link's errors.
   */
  async check(): Promise<boolean> {
    const { clock, allowEviction } = this.#options;
    const now = clock.monotonic();
    if (this.#checkedAt !== undefined && now - this.#checkedAt < limits.evictionCheckMs) return false;
    this.#checkedAt = undefined;
    if (!allowEviction) await this.#checkEviction();
    await this.#checkOthers();
    this.#checkedAt = now;
    return true;
  }

  async #checkEviction(): Promise<void> {
    const policies = await this.#options.link.evictionPolicies();
    const evicting = policies.find(({ policy }) => policy !== 'noeviction');
    if (!evicting) return;
    const { node, policy } = evicting;
    throw new TonnageError(
      'store_evicts',
      `Redis ${node} has maxmemory-policy ${policy}, expected noeviction: it could throw counts away. ` +
        'Nothing is delivered to it; set the policy, or store.allowEviction: true',
    );
  }

  /** Says once that another ledger counts into the same store: what both are sent would be counted twice. */
  async #checkOthers(): Promise<void> {
    const { link, ledgerId, log, shared } = this.#options;
    if (shared || this.#othersTold) return;
    const ids = await link.send({ key: numbersKey, args: ['HKEYS', numbersKey] });
    const others = Array.isArray(ids) ? ids.filter((id) => id !== ledgerId) : [];
    if (others.length === 0) return;
    this.#othersTold = true;
    log.warn(
      { ledgers: others.slice(0, 10), count: others.length },
      'Other ledgers count into this Redis; send each event to one instance only, or set usage.dedupe to shared',
    );
  }
}
