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

/** Runs kept in memory after one of their keys was asked for: what is resent is resent in the order in which it came. */
const cachedRunsMax = 64;

/** Runs read at a time at start, so that not all keys are in memory at once beside the index. */
const loadedRunsMax = 256;

/** The same marks as in a run, where a batch has more cells than 16 bits can number; their low halves are the marks. */
const stagedVoid = 0xffff_ffff;
const stagedTombstone = 0xffff_fffe;

/** What is known of a key. */
export type HeldKey =
  | { readonly kind: 'usage'; readonly cell: RunCell; readonly quantity: bigint; readonly place: KeyPlace }
  | { readonly kind: 'void' }
  | { readonly kind: 'tombstone' };

/** The oldest runs whose time is over, but for those that are still owed something (parameters: the time, how many). */
export const outdatedRunsSql = `select run from key_run where received < ?
  and not exists (select 1 from pending_claim p where p.run = key_run.run) order by received limit ?`;

/** Which key of which run it is. */
export interface KeyPlace {
  readonly run: number;
  readonly position: number;
}

/** Keys that the batch under way claims, in runs that are not in the file yet. */
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
 * The keys that count as seen: in runs that are only ever appended, found through an index in memory. Keys are claimed in
 * the transaction that writes what they stand for, and are not there when that fails. A run's number is not used twice, as
 * long as anything is known of it.
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

  /** Begins a batch of at most `keysMax` keys, whose events count in `cells`. Throws `ledger_full` when there is no room. */
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
    // Taken at once: also a batch that fails has used them up.
    this.#nextRun += Math.ceil(count / runKeysMax);
  }

  /** What is known of the key at `words[offset]`, the batch under way included; `undefined` for one that was never seen. */
  find(words: Uint32Array, offset: number): HeldKey | undefined {
    for (const run of this.#index.find(words[offset] ?? 0)) {
      const held = this.#findIn(run, words, offset);
      if (held) return held;
    }
    return undefined;
  }

  /** Whether a run is that of the batch under way. */
  isStaged(run: number): boolean {
    return this.#staged !== undefined && run >= this.#staged.firstRun;
  }

  /** Claims the key at `words[offset]` for an event of this batch that counts `quantity` in the `cell`th of its cells. */
  claim(words: Uint32Array, offset: number, cell: number, quantity: number): void {
    this.#stage(words, offset, cell, quantity);
  }

  /** The same for a void; answers where its key will be. */
  claimVoid(words: Uint32Array, offset: number): KeyPlace {
    const position = this.#stage(words, offset, stagedVoid, 1);
    return { run: this.#staged ? runAt(this.#staged, position) : 0, position: position % runKeysMax };
  }

  /** Notes that the event with this key, which has not come yet, is void. */
  leaveTombstone(words: Uint32Array, offset: number): void {
    this.#stage(words, offset, stagedTombstone, 1);
  }

  /**
   * Writes the runs of this batch, and answers which they are; to be called in its transaction. `received`: from when
   * their time is counted.
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

  /** The batch is over, and its keys are in the file. */
  end(): void {
    this.#staged = undefined;
  }

  /** The batch has come to nothing: what its keys have left in the index would take room from others. */
  giveUp(): void {
    const staged = this.#staged;
    if (!staged) return;
    for (let position = staged.count - 1; position >= 0; position--) {
      this.#index.removeLast(staged.keys[position * keyWords] ?? 0, runAt(staged, position));
    }
    this.#staged = undefined;
  }

  /** Drops some runs whose time is over, oldest first; answers whether there may be more. */
  dropBefore(received: number, runsMax: number): boolean {
    const dropped = this.#dropRuns.run(received, runsMax);
    if (dropped === 0) return false;
    this.#cache = new Lru(cachedRunsMax);
    this.#index.forgetBefore(Number(this.#readFirstRun.all()[0]?.[0] ?? this.#nextRun));
    return dropped === runsMax;
  }

  /** Begins a new part of the index when the one that fills was begun `everyMs` ago, so that it can be dropped in time. */
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
    // What is known of runs that are gone must not be taken for what a new run holds.
    const known = ['voided_key', 'counted_run'].map((table) => {
      return Number(file.prepare(`select coalesce(max(run), 0) from ${table}`).all()[0]?.[0]);
    });
    return Math.max(last, ...known) + 1;
  }

  /** Answers its place among the keys of the batch. */
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

/** The run that the key at this place among those of the batch will be in. */
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

/** The part of the staged keys that makes one run, with the cells that it needs. */
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
