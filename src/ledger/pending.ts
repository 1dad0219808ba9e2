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
    const steps = [count.dimensions, foldDetails(count.dimensions), foldAll(count.dimensions)];
    for (const [step, dimensions] of steps.entries()) {
      const series = step === 0 ? count : { meter: count.meter, dimensions };
      const key = `${day} ${seriesKey(series)}`;
      const cell = this.#cells.get(key);
      const last = step === steps.length - 1;
      if (cell) cell.quantity += count.quantity;
      else if (last || this.#cells.size < this.#cellsMax * (step + 1))
        this.#cells.set(key, newCell(day, series, count));
      else continue;
      return step > 0;
    }
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

function newCell(day: Day, series: Series, { quantity }: Count): Cell {
  return { meter: series.meter, dimensions: series.dimensions, day, quantity };
}

function foldDetails(values: DimensionValues): DimensionValues {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, name === 'org' || name === 'arch' ? value : foldedValue]),
  );
}

function foldAll(values: DimensionValues): DimensionValues {
  return Object.fromEntries(Object.keys(values).map((name) => [name, foldedValue]));
}
