import { createHmac } from 'node:crypto';
import { limits, messageOf, type Log } from '../base/index.ts';
import type { SharedClaims } from '../store/index.ts';
import { dimensionCaps, type Caps, type NewValues, type ValuesOf } from './caps.ts';

/** How many organisations share their values at the same time. */
const sharedAtOnce = 32;

export interface SharedValuesOptions {
  readonly caps: Caps;
  readonly shared: Pick<SharedClaims, 'shareValues' | 'keyHash'>;
  readonly log: Log;
}

/**
 * Applies the caps of each organisation to all instances together: sends new values to the shared store, and learns the
 * values of all instances once an organisation reaches its cap. Counting does not wait for this, so the instances
 * together may exceed a cap a little. Values are sent as hashes, since the store does not need the values themselves.
 */
export class SharedValues {
  readonly #options: SharedValuesOptions;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;

  constructor(options: SharedValuesOptions) {
    this.#options = options;
  }

  start(): void {
    this.#options.caps.collectNewValues();
    this.#timer = setInterval(() => {
      this.#running ??= this.share().finally(() => (this.#running = undefined));
    }, limits.valuesSharedEveryMs);
    this.#timer.unref();
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#running;
  }

  /** Shares new values once. Never rejects: values that could not be shared go out with the next call. */
  async share(): Promise<void> {
    const { caps, shared, log } = this.#options;
    const secret = shared.keyHash?.secret;
    if (!secret) return;
    const news = caps.takeNewValues();
    for (let from = 0; from < news.length; from += sharedAtOnce) {
      await Promise.all(
        news.slice(from, from + sharedAtOnce).map((each) =>
          this.#shareOne(secret, each).catch((error: unknown) => {
            caps.returnNewValues(each);
            log.debug({ error: messageOf(error) }, 'new values of a dimension could not be shared; the ledger retries');
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
