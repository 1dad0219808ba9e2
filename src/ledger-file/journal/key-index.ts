/** Slots of the first table and of the largest ones, as powers of two; each table has four times the slots of the last. */
const firstBits = 12;
const lastBits = 22;

/** How full a table gets: at three quarters a search for what is not there looks at some eight slots. */
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
 * Where a key may be: 32 bits of each key and the number of its run, some eleven bytes a key, in memory. What it says
 * is confirmed in the run itself, so two keys with the same 32 bits cost a look and never an event. Tables are only
 * ever added and dropped, never rebuilt, so that no event waits for a million others to move.
 */
export class KeyIndex {
  #tables: Table[] = [];
  #found: number[] = [];

  /** How many keys it has. */
  get size(): number {
    return this.#tables.reduce((sum, { count }) => sum + count, 0);
  }

  /** `print`: 32 bits of a key, as an unsigned integer. `run`: from 1, never smaller than the one before. */
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
   * Takes out the key with this print and run that was added last. Only the one that was added last of all may be taken out:
   * others may have been put behind it because its slot was taken.
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

  /** The runs that may hold a key with this print. The answer is good until the next call. */
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

  /** Drops the tables that hold nothing but runs before `run`. */
  forgetBefore(run: number): void {
    this.#tables = this.#tables.filter(({ lastRun }) => lastRun >= run);
  }

  /** Begins a new table, so that the keys so far can be dropped without those to come. */
  seal(): void {
    const last = this.#tables.at(-1);
    if (last === undefined || last.count === 0) return;
    // As large as the keys of the last stretch would need: a ledger that was busy will be.
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
