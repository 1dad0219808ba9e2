import type { Day } from '../../../usage/index.ts';
import type { RedisLink } from '../link/types.ts';
import { pipelineAll } from './replace.ts';

interface Written {
  readonly day: Day;
  readonly number: number;
}

/**
 * Which details were written lately, up to which batch. In a Cluster they lie on other servers than Wave's hash, so that
 * one of these can lose what it had acknowledged, by a failover, while the number of the main tag stays; and a day that
 * no later batch touches would never show it. So they are asked for their numbers now and then.
 */
export class RecentTags {
  readonly #tagsMax: number;
  readonly #tags = new Map<string, Written>();

  /** Remembers at most `tagsMax`; the one that was written longest ago leaves first. */
  constructor(tagsMax: number) {
    this.#tagsMax = tagsMax;
  }

  /** The tag of this numbers' key, of details of that day, has everything up to batch `number`. */
  wrote(numbersKey: string, written: Written): void {
    this.#tags.delete(numbersKey);
    this.#tags.set(numbersKey, written);
    const [oldest] = this.#tags.keys();
    if (this.#tags.size > this.#tagsMax && oldest !== undefined) this.#tags.delete(oldest);
  }

  /**
   * The smallest number that a tag has instead of a larger one that it had, or undefined when all is there. What was lost
   * is told once: the sender goes back then, and what it delivers again is remembered again.
   */
  async lost(link: RedisLink, ledgerId: string, detailsFrom: Day): Promise<number | undefined> {
    for (const [key, { day }] of this.#tags) if (day < detailsFrom) this.#tags.delete(key);
    const tags = [...this.#tags];
    const kept = await pipelineAll(
      link,
      tags.map(([key]) => ({ key, args: ['HGET', key, ledgerId] })),
    );
    const lost: number[] = [];
    for (const [index, [key, { day, number }]] of tags.entries()) {
      const found = Number(kept[index] ?? 0);
      // No number at all is the mark of a rebuild, which says so itself.
      if (Number.isNaN(found) || found >= number) continue;
      lost.push(found);
      this.#tags.set(key, { day, number: found });
    }
    return lost.length === 0 ? undefined : Math.min(...lost);
  }
}
