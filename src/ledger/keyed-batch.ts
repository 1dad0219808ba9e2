import { TonnageError } from '../base/index.ts';
import type { KeyedEvents } from '../store/index.ts';
import { type EventResult, outcome, voidCell } from '../usage/index.ts';
import type { Cell } from './cells.ts';
import { keyWords } from './event-key.ts';

const firstCapacity = 64;

const accepted: EventResult = { status: 'accepted' };
const duplicate: EventResult = { status: 'duplicate' };
const voided: EventResult = { status: 'voided' };
const notVoidable: EventResult = {
  status: 'refused',
  reason: 'not_voidable',
  message: 'expected a void of a usage event, got one of a void',
};

/** The ledger adds the limit to the message, since it differs by meter. */
const dayLimit: EventResult = {
  status: 'refused',
  reason: 'day_limit',
  message: 'expected a quantity within the limit of the day',
};

/** The largest sum of a meter that one organisation may have on one day. */
export type DayMaxOf = (meter: string) => number;

/** Keyed events that wait for one commit, packed as they go to the writer (`KeyedEvents`). */
export class KeyedBatch {
  #keys = new Uint32Array(firstCapacity * keyWords);
  #cellOf = new Uint32Array(firstCapacity);
  #quantities = new Float64Array(firstCapacity);
  #targets = new Uint32Array(0);
  #targetCount = 0;
  #count = 0;
  readonly #cells: Cell[] = [];
  readonly #stated: boolean[] = [];
  /** The index of each cell in `#cells`: for events with credentials of its organisation, and for all others. */
  readonly #ownPlaces = new Map<Cell, number>();
  readonly #statedPlaces = new Map<Cell, number>();

  get count(): number {
    return this.#count;
  }

  /** Makes room for one more event. Answers the offset in `keys` at which the caller writes its key. */
  reserve(): number {
    if (this.#count === this.#cellOf.length) this.#grow();
    return this.#count * keyWords;
  }

  get keys(): Uint32Array {
    return this.#keys;
  }

  /** Adds the event whose key was just written. `isStated`: its credentials are not bound to its organisation. */
  add(cell: Cell, quantity: number, isStated: boolean): void {
    const places = isStated ? this.#statedPlaces : this.#ownPlaces;
    let place = places.get(cell);
    if (place === undefined) {
      place = this.#cells.length;
      this.#cells.push(cell);
      this.#stated.push(isStated);
      places.set(cell, place);
    }
    this.#cellOf[this.#count] = place;
    this.#quantities[this.#count] = quantity;
    this.#count++;
  }

  /** Adds the void whose key was just written. `writeTarget` writes the key of the event that it takes back. */
  addVoid(writeTarget: (out: Uint32Array, offset: number) => void): void {
    const offset = this.#targetCount * keyWords;
    if (offset === this.#targets.length) this.#targets = grown(this.#targets, Math.max(keyWords, 2 * offset));
    writeTarget(this.#targets, offset);
    this.#targetCount++;
    this.#cellOf[this.#count++] = voidCell;
  }

  /**
   * The events, in buffers that move to another thread: call it once. `dayMaxOf`: the limit for one organisation and
   * day; absent: there is no limit.
   */
  packed(dayMaxOf?: DayMaxOf): KeyedEvents {
    return {
      stated: Uint8Array.from(this.#stated, Number),
      ...(dayMaxOf && { dayMax: Float64Array.from(this.#cells, ({ meter }) => dayMaxOf(meter)) }),
      keys: new Uint8Array(this.#keys.slice(0, this.#count * keyWords).buffer),
      cellOf: this.#cellOf.slice(0, this.#count),
      quantities: this.#quantities.slice(0, this.#count),
      targets: new Uint8Array(this.#targets.slice(0, this.#targetCount * keyWords).buffer),
      cells: this.#cells,
    };
  }

  #grow(): void {
    const capacity = 2 * this.#cellOf.length;
    this.#keys = grown(this.#keys, capacity * keyWords);
    this.#cellOf = grown(this.#cellOf, capacity);
    const quantities = new Float64Array(capacity);
    quantities.set(this.#quantities);
    this.#quantities = quantities;
  }
}

function grown(array: Uint32Array, length: number): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(length);
  larger.set(array);
  return larger;
}

/** The result for an outcome of the store. */
export function resultOf(stored: number | undefined): EventResult {
  switch (stored) {
    case outcome.accepted:
      return accepted;
    case outcome.duplicate:
      return duplicate;
    case outcome.voided:
      return voided;
    case outcome.notVoidable:
      return notVoidable;
    case outcome.dayLimit:
      return dayLimit;
    default:
      throw new TonnageError('internal_error', `the store answered ${stored} for an event`);
  }
}
