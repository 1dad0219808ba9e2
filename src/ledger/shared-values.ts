import { createHmac } from 'node:crypto';
import { limits, messageOf, type Log } from '../base/index.ts';
import type { SharedClaims } from '../store/index.ts';
import type { Day, Dimension } from '../usage/index.ts';
import { dimensionCaps, type Caps, type NewValues } from './caps.ts';

export interface SharedValuesOptions {
  readonly caps: Caps;
  readonly shared: Pick<SharedClaims, 'shareValues'>;
  /** What all instances hash with; `undefined` while that is not known. */
  readonly secret: () => Uint8Array | undefined;
  readonly log: Log;
}

/**
 * Holds all instances together to one cap: tells the store that they share which values were new here, and, once a
 * dimension has as many as it may, which they are. Nothing waits for it, so what several instances let in within the same
 * moment may go a little beyond. Values go as hashes, since the store has no other use for them.
 */
export class SharedValues {
  readonly #options: SharedValuesOptions;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;

  constructor(options: SharedValuesOptions) {
    this.#options = options;
  }

  start(): void {
    this.#options.caps.collectNews();
    this.#timer = setInterval(() => {
      this.#running ??= this.share().finally(() => (this.#running = undefined));
    }, limits.valuesSharedEveryMs);
    this.#timer.unref();
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#running;
  }

  /** Shares what is new once. Never rejects: what could not be shared goes with the next. */
  async share(): Promise<void> {
    const { caps, secret, log } = this.#options;
    const key = secret();
    if (!key) return;
    for (const news of caps.takeNews()) {
      try {
        await this.#shareOne(key, news);
      } catch (error) {
        caps.returnNews(news);
        log.debug({ error: messageOf(error) }, 'new values of a dimension wait to be shared');
      }
    }
  }

  async #shareOne(secret: Uint8Array, { day, dimension, values }: NewValues): Promise<void> {
    const { caps, shared } = this.#options;
    const hash = (value: string) => hashOf(secret, day, dimension, value);
    const all = await shared.shareValues(day, dimension, values.map(hash), dimensionCaps[dimension]);
    if (!all) return;
    const known = new Set(all);
    caps.close(day, dimension, (value) => known.has(hash(value)));
  }
}

function hashOf(secret: Uint8Array, day: Day, dimension: Dimension, value: string): string {
  const text = JSON.stringify(['tonnage value', day, dimension, value]);
  return createHmac('sha256', secret).update(text).digest('hex').slice(0, 16);
}
