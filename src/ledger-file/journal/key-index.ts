/** Slots of the first and of the largest tables, as powers of two. Each table has four times the slots of the one before. */
const firstBits = 12;
const lastBits = 22;

/** The maximum load of a table. At three quarters, a search for a missing key looks at about eight slots. */
const fullness = 0.75;

interface Table {
  readonly bits: number;
  readonly prints: Uint32Array;
  /** The run of each print; 0 marks a free slot. */
  readonly runs: Uint32Array;
  count: number;
  lastRun: number;
}

/**
 * An index in memory of where a key may be: 32 bits of the key and the number of its run, about eleven bytes a key. The
 * caller checks the run itself, so two keys with the same 32 bits cost a lookup and never an event. Tables are added
 * and dropped but never rebuilt, so that no event waits until a million others have moved.
 */
export class KeyIndex {
  #tables: Table[] = [];
  #found: number[] = [];

  /** The number of keys. */
  get size(): number {
    return this.#tables.reduce((sum, { count }) => sum + count, 0);
  }

  /** `print`: 32 bits of a key, as an unsigned integer. `run`: from 1, and never smaller than in the previous call. */
  add(print: number, run: number): void {
    const table = this.#tableWithRoom();
    const { prints, runs, bits } = table;
    const mask = runs.length - 1;
    let slot = print >>> (32 - bits);
    while (runs[slot] !== 0) slot = (slot + 1) & mask;
    prints[slot] = print;
    runs[slot] = run;
    table.count++;
    table.lastRun = run;
  }

  /**
   * Removes the key with this print and run. It must be the last that was added: later keys may have been placed after
   * it because its slot was taken.
   */
  removeLast(print: number, run: number): void {
    for (const table of this.#tables.toReversed()) {
      const { prints, runs, bits } = table;
      const mask = runs.length - 1;
      let last = -1;
      for (let slot = print >>> (32 - bits); runs[slot] !== 0; slot = (slot + 1) & mask) {
        if (prints[slot] === print && runs[slot] === run) last = slot;
      }
      if (last < 0) continue;
      runs[last] = 0;
      table.count--;
      return;
    }
  }

  /** The runs that may hold a key with this print. The next call reuses the array. */
  find(print: number): readonly number[] {
    const found = this.#found;
    found.length = 0;
    for (const { prints, runs, bits } of this.#tables) {
      const mask = runs.length - 1;
      let slot = print >>> (32 - bits);
      for (let run = runs[slot]; run !== undefined && run !== 0; run = runs[slot]) {
        if (prints[slot] === print) found.push(run);
        slot = (slot + 1) & mask;
      }
    }
    return found;
  }

  /** Drops the tables whose runs are all before `run`. */
  forgetBefore(run: number): void {
    this.#tables = this.#tables.filter(({ lastRun }) => lastRun >= run);
  }

  /** Starts a new table, so that the keys until now can be dropped separately. */
  seal(): void {
    const last = this.#tables.at(-1);
    if (last === undefined || last.count === 0) return;
    // As large as the previous table needed: a busy ledger stays busy.
    this.#tables.push(createTable(Math.max(firstBits, Math.ceil(Math.log2((last.count + 1) / fullness)))));
  }

  #tableWithRoom(): Table {
    const last = this.#tables.at(-1);
    if (last && last.count < last.runs.length * fullness) return last;
    const table = createTable(last === undefined ? firstBits : last.bits + 2);
    this.#tables.push(table);
    return table;
  }
}

function createTable(wanted: number): Table {
  const bits = Math.min(wanted, lastBits);
  return { bits, prints: new Uint32Array(2 ** bits), runs: new Uint32Array(2 ** bits), count: 0, lastRun: 0 };
}
