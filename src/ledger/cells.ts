import { limits } from '../base/index.ts';
import { foldedValue, seriesKey, type Day, type Dimension, type DimensionValues, type Series } from '../usage/index.ts';
import type { Capped } from './caps.ts';

/** One series on one day. All events of a cell share one object for as long as it is remembered. */
export interface Cell extends Series {
  readonly day: Day;
}

/** Turns the values of an event into the dimensions of its cell. Calls `onFold` for each dimension that it folds. */
export type Keep = (event: Capped, values: DimensionValues, onFold: (dimension: Dimension) => void) => DimensionValues;

/** A tree with one level per dimension, by value (`undefined`: none). Its leaves are the cells. */
type Branch = Map<string | undefined, Branch | Cell>;

/**
 * Finds the cell of an event by its values, one dimension after the other: to build and compare a key for each event
 * costs ten times as much. Forgets all cells at once when there are too many.
 */
export class Cells {
  readonly #dimensions: readonly Dimension[];
  readonly #keep: Keep;
  readonly #onFold: (dimension: Dimension) => void;
  readonly #days = new Map<Day, Branch>();
  readonly #byKey = new Map<string, Cell>();
  #current: { readonly day: Day; readonly meters: Branch } | undefined;

  /** `dimensions`: the kept ones. Calls `keep` once per combination of values, `onFold` for each event that folds. */
  constructor(dimensions: readonly Dimension[], keep: Keep, onFold: (dimension: Dimension) => void) {
    this.#dimensions = dimensions;
    this.#keep = keep;
    this.#onFold = onFold;
  }

  /**
   * The cell in which an event with these values counts. `isStated`: the sender's credentials are not bound to the
   * event's organisation.
   */
  of(meter: string, day: Day, values: DimensionValues, isStated = false): Cell {
    let found: Branch | Cell | undefined = this.#current?.day === day ? this.#current.meters : this.#metersOn(day);
    found = found.get(meter);
    for (const name of this.#dimensions) {
      if (!(found instanceof Map)) break;
      found = found.get(values[name]);
    }
    return found === undefined || found instanceof Map ? this.#add(meter, day, values, isStated) : found;
  }

  /** The cell of dimensions that went through `keep`. */
  exactly(meter: string, day: Day, dimensions: DimensionValues): Cell {
    const key = `${day} ${seriesKey({ meter, dimensions })}`;
    const known = this.#byKey.get(key);
    if (known) return known;
    // Folded cells count too: one dimension may exceed its cap while the others vary.
    if (this.#byKey.size >= limits.rememberedCellsMax) this.forget();
    const cell = { meter, day, dimensions };
    this.#byKey.set(key, cell);
    return cell;
  }

  /** The cell that only keeps the organisation and the architecture of `cell`. */
  withoutDetails({ meter, day, dimensions }: Cell): Cell {
    return this.exactly(
      meter,
      day,
      foldedBut(dimensions, (name) => name === 'org' || name === 'arch'),
    );
  }

  /** The cell that keeps no dimension of `cell`. */
  withoutDimensions({ meter, day, dimensions }: Cell): Cell {
    return this.exactly(
      meter,
      day,
      foldedBut(dimensions, () => false),
    );
  }

  #add(meter: string, day: Day, values: DimensionValues, isStated: boolean): Cell {
    let isFolded = false;
    const dimensions = this.#keep({ day, org: values.org, isStated }, values, (dimension) => {
      isFolded = true;
      this.#onFold(dimension);
    });
    const cell = this.exactly(meter, day, dimensions);
    if (isFolded) return cell;
    const last = this.#dimensions.at(-1) ?? 'org';
    let branch = branchOf(this.#metersOn(day), meter);
    for (const name of this.#dimensions.slice(0, -1)) branch = branchOf(branch, values[name]);
    branch.set(values[last], cell);
    return cell;
  }

  #metersOn(day: Day): Branch {
    let meters = this.#days.get(day);
    if (meters === undefined) this.#days.set(day, (meters = new Map<string | undefined, Branch | Cell>()));
    this.#current = { day, meters };
    return meters;
  }

  /** Forgets all cells. Necessary when `keep` starts to answer differently. */
  forget(): void {
    this.#days.clear();
    this.#byKey.clear();
    this.#current = undefined;
  }
}

/** The branch below a value; created if it is missing. */
function branchOf(branch: Branch, value: string | undefined): Branch {
  const known = branch.get(value);
  if (known instanceof Map) return known;
  const made: Branch = new Map();
  branch.set(value, made);
  return made;
}

function foldedBut(values: DimensionValues, isKept: (name: string) => boolean): DimensionValues {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, isKept(name) ? value : foldedValue]));
}
