import { limits, TonnageError, type Clock, type Log } from '../../base/index.ts';
import { numbersKey } from '../layout.ts';
import type { RedisLink } from '../../redis-link/index.ts';
import { textsOf } from '../reply.ts';

export interface GuardOptions {
  readonly link: RedisLink;
  readonly ledgerId: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Deliver even if Redis may evict keys when its memory is full. */
  readonly allowEviction: boolean;
  /** Other ledgers may count into the same Redis without a warning. */
  readonly shared: boolean;
}

/** Checks before a write that Redis evicts nothing, and whether other ledgers write to it. */
export class StoreGuard {
  readonly #options: GuardOptions;
  #checkedAt: number | undefined;
  #hasWarned = false;

  constructor(options: GuardOptions) {
    this.#options = options;
  }

  /** Makes the next `check` ask Redis: the link may reach another server now. */
  invalidate(): void {
    this.#checkedAt = undefined;
  }

  /**
   * Asks Redis if the last check is older than `limits.evictionCheckMs`. Resolves to whether it asked. Rejects with
   * `store_evicts` and with the link's errors.
   */
  async check(): Promise<boolean> {
    const { clock, allowEviction } = this.#options;
    const now = clock.monotonic();
    if (this.#checkedAt !== undefined && now - this.#checkedAt < limits.evictionCheckMs) return false;
    this.#checkedAt = undefined;
    if (!allowEviction) await this.#checkEviction();
    await this.#warnOfOtherLedgers();
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
      `Redis ${node} has maxmemory-policy ${policy}, expected noeviction: it could evict counts. ` +
        'Delivery has stopped; set the policy, or store.allowEviction: true',
    );
  }

  /** Warns once of other ledgers in the same Redis: an event that is sent to two instances would count twice. */
  async #warnOfOtherLedgers(): Promise<void> {
    const { link, ledgerId, log, shared } = this.#options;
    if (shared || this.#hasWarned) return;
    const ids = await link.send({ key: numbersKey, args: ['HKEYS', numbersKey] });
    const others = textsOf(ids).filter((id) => id !== ledgerId);
    if (others.length === 0) return;
    this.#hasWarned = true;
    log.warn(
      { ledgers: others.slice(0, 10), count: others.length },
      'Other ledgers count into this Redis; send each event to one instance only, or set usage.dedupe to shared',
    );
  }
}
