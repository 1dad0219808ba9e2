import { limits, Lru, TonnageError } from '../../base/index.ts';
import type { ProgramFile, ProgramStatement } from '../../sqlite/index.ts';
import { KeyIndex } from './key-index.ts';
import {
  decodeRun,
  encodeRun,
  keyWords,
  positionIn,
  runKeysMax,
  tombstoneEntry,
  voidEntry,
  type Run,
  type RunCell,
} from './run-codec.ts';

/** Runs kept in memory after a lookup: senders resend events in the original order. */
const cachedRunsMax = 64;

/** Runs read at a time at start, so that memory never holds all keys and the index. */
const loadedRunsMax = 256;

/** The marks of a run, for batches with more cells than 16 bits can number. Their low halves are the marks in a run. */
const stagedVoid = 0xffff_ffff;
const stagedTombstone = 0xffff_fffe;

/** What is known of a key. */
export type HeldKey =
  | { readonly kind: 'usage'; readonly cell: RunCell; readonly quantity: bigint; readonly place: KeyPlace }
  | { readonly kind: 'void' }
  | { readonly kind: 'tombstone' };

/** The oldest expired runs without pending claims (parameters: the time, how many). */
export const outdatedRunsSql = `select run from key_run where received < ?
  and not exists (select 1 from pending_claim p where p.run = key_run.run) order by received limit ?`;

/** Which key of which run it is. */
export interface KeyPlace {
  readonly run: number;
  readonly position: number;
}

/** Keys that the current batch claims, in runs that are not in the file yet. */
interface Staged {
  readonly firstRun: number;
  readonly keys: Uint32Array;
  readonly cellOf: Uint32Array;
  readonly quantities: Float64Array;
  readonly cells: readonly RunCell[];
  count: number;
  /** Whether any quantity is other than 1. */
  weighted: boolean;
}

/**
 * The keys of known events, in append-only runs that an index in memory finds. A key is claimed in the transaction that writes what
 * its event counts, and is not claimed if that fails. The number of a run is not reused while anything refers to it.
 */
export class HeldKeys {
  readonly #index = new KeyIndex();
  #cache = new Lru<Run | null, number>(cachedRunsMax);
  readonly #insertRun: ProgramStatement;
  readonly #readRun: ProgramStatement;
  readonly #readFirstRun: ProgramStatement;
  readonly #dropRuns: ProgramStatement;
  readonly #keysMax: number;
  #nextRun: number;
  #sealedAt = 0;
  #staged: Staged | undefined;

  constructor(file: ProgramFile, keysMax: number = limits.heldKeysMax) {
    this.#keysMax = keysMax;
    this.#insertRun = file.prepare('insert into key_run (run, received, entries) values (?, ?, ?)');
    this.#readRun = file.prepare('select entries from key_run where run = ?');
    this.#readFirstRun = file.prepare('select run from key_run order by run limit 1');
    this.#dropRuns = file.prepare(`delete from key_run where run in (${outdatedRunsSql})`);
    this.#nextRun = this.#load(file);
  }

  get size(): number {
    return this.#index.size;
  }

  /** Starts a batch of at most `keysMax` keys, whose events count in `cells`. Throws `ledger_full` if there is no room. */
  begin(keysMax: number, cells: readonly RunCell[]): void {
    if (keysMax > 0 && this.#index.size + keysMax > this.#keysMax) {
      const held = `${this.#index.size} keys of events are held, ${this.#keysMax} at most`;
      throw new TonnageError(
        'ledger_full',
        `${held} (usage.heldKeysMax): no event with an identity is taken until older ones have expired`,
      );
    }
    const count = Math.max(keysMax, 1);
    this.#staged = {
      firstRun: this.#nextRun,
      keys: new Uint32Array(count * keyWords),
      cellOf: new Uint32Array(count),
      quantities: new Float64Array(count),
      cells,
      count: 0,
      weighted: false,
    };
    // A batch that fails uses up its numbers too.
    this.#nextRun += Math.ceil(count / runKeysMax);
  }

  /** What is known of the key at `words[offset]`, also in the current batch; `undefined` for a new key. */
  find(words: Uint32Array, offset: number): HeldKey | undefined {
    for (const run of this.#index.find(words[offset] ?? 0)) {
      const held = this.#findIn(run, words, offset);
      if (held) return held;
    }
    return undefined;
  }

  /** Whether a run belongs to the current batch. */
  isStaged(run: number): boolean {
    return this.#staged !== undefined && run >= this.#staged.firstRun;
  }

  /** Claims the key at `words[offset]` for an event of this batch that counts `quantity` in the `cell`th of its cells. */
  claim(words: Uint32Array, offset: number, cell: number, quantity: number): void {
    this.#stage(words, offset, cell, quantity);
  }

  /** The same for a void. Returns where its key will be. */
  claimVoid(words: Uint32Array, offset: number): KeyPlace {
    const position = this.#stage(words, offset, stagedVoid, 1);
    return { run: this.#staged ? runAt(this.#staged, position) : 0, position: position % runKeysMax };
  }

  /** Records that the event with this key, which has not arrived yet, is void. */
  leaveTombstone(words: Uint32Array, offset: number): void {
    this.#stage(words, offset, stagedTombstone, 1);
  }

  /**
   * Writes the runs of this batch and returns them. Call it in the batch's transaction. `received`: when the time until
   * they expire starts.
   */
  write(received: number): readonly { readonly run: number; readonly keys: number }[] {
    const staged = this.#staged;
    const runs: { readonly run: number; readonly keys: number }[] = [];
    if (!staged) return runs;
    for (let from = 0, run = staged.firstRun; from < staged.count; from += runKeysMax, run++) {
      const to = Math.min(from + runKeysMax, staged.count);
      this.#insertRun.run(run, received, encodeRun(cut(staged, from, to)));
      runs.push({ run, keys: to - from });
    }
    return runs;
  }

  /** Commit: the keys of the batch are in the file. */
  end(): void {
    this.#staged = undefined;
  }

  /** Rollback: removes the keys of the batch from the index. */
  giveUp(): void {
    const staged = this.#staged;
    if (!staged) return;
    for (let position = staged.count - 1; position >= 0; position--) {
      this.#index.removeLast(staged.keys[position * keyWords] ?? 0, runAt(staged, position));
    }
    this.#staged = undefined;
  }

  /** Drops some expired runs, oldest first. Returns whether there may be more. */
  dropBefore(received: number, runsMax: number): boolean {
    const dropped = this.#dropRuns.run(received, runsMax);
    if (dropped === 0) return false;
    this.#cache = new Lru(cachedRunsMax);
    this.#index.forgetBefore(Number(this.#readFirstRun.all()[0]?.[0] ?? this.#nextRun));
    return dropped === runsMax;
  }

  /** Starts a new part of the index every `everyMs`, so that old parts can be dropped. */
  sealEvery(everyMs: number, now: number): void {
    if (now - this.#sealedAt < everyMs) return;
    if (this.#sealedAt > 0) this.#index.seal();
    this.#sealedAt = now;
  }

  #load(file: ProgramFile): number {
    const read = file.prepare('select run, entries from key_run where run > ? order by run limit ?');
    let last = 0;
    for (let rows = read.all(0, loadedRunsMax); rows.length > 0; rows = read.all(last, loadedRunsMax)) {
      for (const [run, entries] of rows) {
        last = Number(run);
        if (!(entries instanceof Uint8Array)) continue;
        const { keys } = decodeRun(entries);
        for (let at = 0; at < keys.length; at += keyWords) this.#index.add(keys[at] ?? 0, last);
      }
    }
    // A new run must not reuse a number that something still refers to.
    const known = ['voided_key', 'counted_run'].map((table) => {
      return Number(file.prepare(`select coalesce(max(run), 0) from ${table}`).all()[0]?.[0]);
    });
    return Math.max(last, ...known) + 1;
  }

  /** Returns the place of the key in the batch. */
  #stage(words: Uint32Array, offset: number, cell: number, quantity: number): number {
    const staged = this.#staged;
    if (!staged) throw new RangeError('a key was claimed outside of a batch');
    const position = staged.count++;
    for (let word = 0; word < keyWords; word++) {
      staged.keys[position * keyWords + word] = words[offset + word] ?? 0;
    }
    staged.cellOf[position] = cell;
    staged.quantities[position] = quantity;
    staged.weighted ||= quantity !== 1;
    this.#index.add(words[offset] ?? 0, runAt(staged, position));
    return position;
  }

  #findIn(run: number, words: Uint32Array, offset: number): HeldKey | undefined {
    const staged = this.#staged;
    if (staged && run >= staged.firstRun) {
      const from = (run - staged.firstRun) * runKeysMax;
      const to = Math.min(from + runKeysMax, staged.count);
      const position = positionIn(staged.keys.subarray(from * keyWords), to - from, words, offset);
      return position < 0 ? undefined : heldKey(staged, from + position, { run, position });
    }
    const stored = this.#stored(run);
    if (!stored) return undefined;
    const position = positionIn(stored.keys, stored.cellOf.length, words, offset);
    return position < 0 ? undefined : heldKey(stored, position, { run, position });
  }

  #stored(run: number): Run | undefined {
    const known = this.#cache.get(run);
    if (known !== undefined) return known ?? undefined;
    const entries = this.#readRun.all(run)[0]?.[0];
    const stored = entries instanceof Uint8Array ? decodeRun(entries) : undefined;
    this.#cache.set(run, stored ?? null);
    return stored;
  }
}

/** The run that will hold the key at this place of the batch. */
function runAt(staged: Staged, position: number): number {
  return staged.firstRun + Math.floor(position / runKeysMax);
}

function heldKey(run: Run | Staged, position: number, place: KeyPlace): HeldKey {
  const entry = run.cellOf[position] ?? voidEntry;
  if (entry === voidEntry || entry === stagedVoid) return { kind: 'void' };
  if (entry === tombstoneEntry || entry === stagedTombstone) return { kind: 'tombstone' };
  const cell = run.cells[entry];
  if (!cell) throw new RangeError(`run ${place.run} has no cell ${entry}`);
  return { kind: 'usage', cell, quantity: BigInt(run.quantities?.[position] ?? 1), place };
}

/** The staged keys of one run, with their cells. */
function cut(staged: Staged, from: number, to: number): Run {
  const places = new Map<number, number>();
  const cellOf = new Uint16Array(to - from);
  for (let index = 0; index < cellOf.length; index++) {
    const cell = staged.cellOf[from + index] ?? stagedVoid;
    let place = cell >= stagedTombstone ? cell & 0xffff : places.get(cell);
    if (place === undefined) places.set(cell, (place = places.size));
    cellOf[index] = place;
  }
  const cells = [...places.keys()].map((cell) => staged.cells[cell] ?? { day: 0, series: 0 });
  return {
    keys: staged.keys.subarray(from * keyWords, to * keyWords),
    cellOf,
    cells,
    ...(staged.weighted && { quantities: staged.quantities.subarray(from, to) }),
  };
}
