import { Lru } from '../../base/index.ts';
import type { BatchHistory, BatchId, MeterDay } from '../../store/index.ts';
import type { Day } from '../../usage/index.ts';
import { isSameBatch, parseBatchText } from '../batch-text.ts';
import { assertOwn, rewindTo } from '../history.ts';
import { detailNumbersKey } from '../layout.ts';
import type { RedisLink } from '../../redis-link/index.ts';
import { detailPlace } from './changes.ts';
import { pipelineAll } from './replace.ts';

interface Written extends MeterDay {
  readonly batch: BatchId;
}

/**
 * Which details are in Redis, up to which batch. In a Cluster they lie on other servers than Wave's hash, so that one of these
 * can lose what it had acknowledged, by a failover, while the number of the main tag stays; and a day that no later batch
 * touches would never show it. So they are asked for their numbers now and then.
 */
export class RecentTags {
  readonly #tags: Lru<Written>;

  /** Remembers at most `tagsMax`: those that were written last. */
  constructor(tagsMax: number) {
    this.#tags = new Lru(tagsMax);
  }

  /** The details of that meter and day have everything up to a batch. */
  wrote(written: Written): void {
    this.#tags.set(detailNumbersKey(written.meter, written.day), written);
  }

  /**
   * After which batch to deliver again, because details have lost what came after it; undefined when all is there. Rejects with
   * `ledger_gap` when the outbox does not hold what is lost, and when details have a batch of another history.
   */
  async lost(link: RedisLink, ledgerId: string, history: BatchHistory, detailsFrom: Day): Promise<number | undefined> {
    for (const [key, { day }] of this.#tags.entries()) if (day < detailsFrom) this.#tags.delete(key);
    const tags = [...this.#tags.entries()];
    const kept = await pipelineAll(
      link,
      tags.map(([key]) => ({ key, args: ['HGET', key, ledgerId] })),
    );
    const lost: number[] = [];
    for (const [index, [, { meter, day, batch }]] of tags.entries()) {
      const found = parseBatchText(String(kept[index] ?? ''));
      // The mark of a rebuild, which is reported for the main tag.
      if (!found || isSameBatch(found, batch)) continue;
      const where = detailPlace({ meter, day });
      if (found.number >= batch.number) await assertOwn(history, found, where);
      else lost.push(await rewindTo(history, { kept: found.number, missing: batch.number, where }));
    }
    return lost.length === 0 ? undefined : Math.min(...lost);
  }
}
