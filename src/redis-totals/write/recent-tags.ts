import { Lru } from '../../base/index.ts';
import type { BatchHistory, BatchId, MeterDay } from '../../store/index.ts';
import type { Day } from '../../usage/index.ts';
import { isSameBatch, parseBatchText } from '../batch-text.ts';
import { assertOwn, rewindTo } from '../history.ts';
import { detailNumbersKey } from '../layout.ts';
import type { RedisLink } from '../../redis-link/index.ts';
import { describeDetails } from './changes.ts';
import { pipelineAll } from './replace.ts';

interface Written extends MeterDay {
  readonly batch: BatchId;
}

/**
 * Remembers which details Redis has, up to which batch, and finds out whether Redis has lost some of them. In a Cluster
 * details are on other nodes than Wave's hash. A failover of such a node can lose acknowledged writes while the number
 * at Wave's hash stays. The loss would stay unnoticed if no later batch changed that day.
 */
export class RecentTags {
  readonly #tags: Lru<Written>;

  /** Remembers the `tagsMax` tags that were written last. */
  constructor(tagsMax: number) {
    this.#tags = new Lru(tagsMax);
  }

  /** Records that the details of a meter and day are complete up to `written.batch`. */
  wrote(written: Written): void {
    this.#tags.set(detailNumbersKey(written.meter, written.day), written);
  }

  /**
   * The batch after which to deliver again, because Redis has lost details; undefined if it has lost none. Rejects with
   * `ledger_gap` if the outbox no longer has the lost batches, with `ForkedHistory` if details have a batch of another
   * history, and with the link's errors.
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
      // Skip the mark of an unfinished rebuild: Wave's hash has it too, and `keptBatch` reports it from there.
      if (!found || isSameBatch(found, batch)) continue;
      const where = describeDetails({ meter, day });
      if (found.number >= batch.number) await assertOwn(history, found, where);
      else lost.push(await rewindTo(history, { kept: found.number, missing: batch.number, where }));
    }
    return lost.length === 0 ? undefined : Math.min(...lost);
  }
}
