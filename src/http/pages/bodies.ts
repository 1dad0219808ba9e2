import { limits, Lru, SingleFlight, TonnageError, Turns } from '../../base/index.ts';
import type { Exposition } from '../scrape/scrapes.ts';

/** A complete body, in the coding of its key. */
type Body = Extract<Exposition, { readonly kind: 'whole' }>;

/** A body that is larger than `limits.pageBodyBytesMax`, so that it is not kept. */
export type BodyOrLarge = Body | 'large';

/** What a body is made of. */
export interface BodyRequest {
  /** Page, scope, format and coding. */
  readonly key: string;
  /** The revision of the page's families. A body of another revision is rendered anew. */
  readonly revision: number;
  /** Renders the body, coded. */
  readonly make: () => AsyncIterable<Uint8Array>;
}

interface Kept {
  readonly revision: number;
  readonly body: BodyOrLarge;
}

/**
 * Bodies of pages. A body is rendered once for each revision, however many clients wait for it, and one body at a time,
 * so that renderings together block the event loop no longer than one does. The least recently used bodies are removed.
 */
export class PageBodies {
  readonly #kept = new Lru<Kept>(limits.pageBodiesBytesMax, weightOf);
  readonly #renderings = new SingleFlight<BodyOrLarge>();
  readonly #turns = new Turns({ runningMax: 1, waitingMax: limits.pageRenderingsWaitingMax });
  readonly #onRendered: () => void;

  /** `onRendered` is called after each rendering. */
  constructor(onRendered: () => void) {
    this.#onRendered = onRendered;
  }

  /** Bytes of all bodies. */
  get bytes(): number {
    let bytes = 0;
    for (const [, { body }] of this.#kept.entries()) bytes += lengthOf(body);
    return bytes;
  }

  /**
   * The body of a request, cached or rendered. Rejects with `unavailable` if too many renderings wait, and with the
   * error of `make`.
   */
  async get(request: BodyRequest): Promise<BodyOrLarge> {
    const { key, revision } = request;
    const kept = this.#kept.get(key);
    if (kept?.revision === revision) return kept.body;
    return this.#renderings.run(`${revision} ${key}`, () => this.#renderInTurn(request));
  }

  async #renderInTurn(request: BodyRequest): Promise<BodyOrLarge> {
    const body = await this.#turns.take(() => this.#render(request));
    if (body !== 'busy') return body;
    throw new TonnageError('unavailable', 'too many pages wait to be rendered; try again');
  }

  async #render({ key, revision, make }: BodyRequest): Promise<BodyOrLarge> {
    const body = await collect(make());
    this.#kept.set(key, { revision, body });
    this.#onRendered();
    return body;
  }
}

async function collect(made: AsyncIterable<Uint8Array>): Promise<BodyOrLarge> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of made) {
    length += chunk.length;
    if (length > limits.pageBodyBytesMax) return 'large';
    chunks.push(chunk);
  }
  return { kind: 'whole', chunks, length };
}

function lengthOf(body: BodyOrLarge): number {
  return body === 'large' ? 0 : body.length;
}

/** A small body weighs as much as an equal share, which limits the number of bodies. */
function weightOf({ body }: Kept): number {
  return Math.max(lengthOf(body), limits.pageBodiesBytesMax / limits.pageBodiesMax);
}
