import { limits } from '../base/index.ts';
import { foldedValue, seriesKey, type Day, type DimensionValues, type Increment, type Series } from '../usage/index.ts';

/** What happened: so much of one meter, with these dimensions. */
export interface Count extends Series {
  readonly quantity: bigint;
}

interface Cell extends Series {
  readonly day: Day;
  quantity: bigint;
}

/**
 * The increments that wait for one commit, coalesced: its size grows with the distinct cells, not with the events.
 * Beyond `limits.pendingCellsMax` new cells lose their details (`__other__`) and keep organisation and architecture;
 * beyond twice as many they lose those as well, so that memory is bounded while the disk is away and no event is lost.
 */
export class Pending {
  readonly #cells = new Map<string, Cell>();
  readonly #cellsMax: number;
  #events = 0;
  #release: () => void = () => undefined;
  #released: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(cellsMax: number = limits.pendingCellsMax) {
    this.#cellsMax = cellsMax;
  }

  /** How many counts are in it. */
  get events(): number {
    return this.#events;
  }

  get empty(): boolean {
    return this.#events === 0;
  }

  /** Adds one count to its cell of that day; answers whether its dimensions had to be folded. */
  add(day: Day, count: Count): boolean {
    this.#events++;
    const { dimensions } = count;
    if (this.#put(day, count, count.quantity, this.#cellsMax)) return false;
    // Made only here: almost every count finds its cell, or room for a new one.
    const details = { meter: count.meter, dimensions: foldDetails(dimensions) };
    if (this.#put(day, details, count.quantity, this.#cellsMax * 2)) return true;
    this.#put(day, { meter: count.meter, dimensions: foldAll(dimensions) }, count.quantity, Infinity);
    return true;
  }

  /** Adds to the cell of a series, or makes one while there are fewer than `cellsMax`; answers whether it could. */
  #put(day: Day, series: Series, quantity: bigint, cellsMax: number): boolean {
    const key = `${day} ${seriesKey(series)}`;
    const cell = this.#cells.get(key);
    if (cell) cell.quantity += quantity;
    else if (this.#cells.size < cellsMax) this.#cells.set(key, { ...series, day, quantity });
    else return false;
    return true;
  }

  increments(): readonly Increment[] {
    return [...this.#cells.values()];
  }

  /** Resolves when `release` is called, or `waitMs` after the first one began to wait, whichever is first. */
  wait(waitMs: number): Promise<void> {
    this.#released ??= new Promise((resolve) => {
      this.#release = resolve;
      this.#timer = setTimeout(resolve, waitMs);
      this.#timer.unref();
    });
    return this.#released;
  }

  /** The commit is done: whoever waits may go on. */
  release(): void {
    clearTimeout(this.#timer);
    this.#release();
  }
}

function foldDetails(values: DimensionValues): DimensionValues {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, name === 'org' || name === 'arch' ? value : foldedValue]),
  );
}

function foldAll(values: DimensionValues): DimensionValues {
  return Object.fromEntries(Object.keys(values).map((name) => [name, foldedValue]));
}
