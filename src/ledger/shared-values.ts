import { createHmac } from 'node:crypto';
import { limits, messageOf, type Log } from '../base/index.ts';
import type { SharedClaims } from '../store/index.ts';
import { dimensionCaps, type Caps, type NewValues, type ValuesOf } from './caps.ts';

/** Organisations whose values are shared at a time. */
const sharedAtOnce = 32;

export interface SharedValuesOptions {
  readonly caps: Caps;
  readonly shared: Pick<SharedClaims, 'shareValues'>;
  /** What all instances hash with; `undefined` while that is not known. */
  readonly secret: () => Uint8Array | undefined;
  readonly log: Log;
}

/**
 * Holds all instances together to the caps of each organisation: tells the store that they share which values were new
 * here, and learns which there are once an organisation has as many as it may. Nothing waits for it, so what several instances let in within the same
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
    const news = caps.takeNews();
    for (let from = 0; from < news.length; from += sharedAtOnce) {
      await Promise.all(
        news.slice(from, from + sharedAtOnce).map((each) =>
          this.#shareOne(key, each).catch((error: unknown) => {
            caps.returnNews(each);
            log.debug({ error: messageOf(error) }, 'new values of a dimension wait to be shared');
          }),
        ),
      );
    }
  }

  async #shareOne(secret: Uint8Array, { values, ...of }: NewValues): Promise<void> {
    const { caps, shared } = this.#options;
    const hash = (value: string) => hashOf(secret, of, value);
    const owner = hashOf(secret, { ...of, owner: '' }, of.owner);
    const all = await shared.shareValues({ ...of, owner }, values.map(hash), dimensionCaps[of.dimension]);
    if (!all) return;
    const known = new Set(all);
    caps.close(of, (value) => known.has(hash(value)));
  }
}

function hashOf(secret: Uint8Array, { day, dimension, owner }: ValuesOf, value: string): string {
  const text = JSON.stringify(['tonnage value', day, dimension, owner, value]);
  return createHmac('sha256', secret).update(text).digest('hex').slice(0, 16);
}
