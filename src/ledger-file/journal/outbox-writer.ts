import { TonnageError } from '../../base/index.ts';
import type { SqlValue, ProgramFile, ProgramStatement } from '../../sqlite/index.ts';
import { dimensionRow, type Day } from '../../usage/index.ts';
import type {
  BatchId,
  BatchRecord,
  LedgerGap,
  MeterDay,
  OutboxBatch,
  OutboxIncrement,
  OutboxStatus,
  TouchedDay,
} from '../../store/index.ts';
import { batchRecordOf, batchRecordSql, gapColumns, gapOf, touchedAsOfSql, touchedDayOf } from './batch-history.ts';

/** Maximum of batches deleted in one transaction. */
const trimmedMax = 500;

/** Maximum size of batches read at a time, unless one alone is larger: thousands of large ones may wait. */
const readBytesMax = 16 * 1024 * 1024;

/** Which batches may be deleted: see `Outbox.trim`. */
export interface TrimRule {
  readonly delivered: number;
  readonly confirmed: number;
  readonly before: number;
  readonly bytesMax: number;
}

/** Which batches to read: see `Outbox.read`. */
export interface ReadRule {
  readonly after: number;
  readonly max: number;
}

/** See `BatchHistory.touchedAsOf`. */
export interface AsOfRule {
  readonly day: Day;
  readonly number: number;
}

/** The writer's side of the outbox. */
export class OutboxWriter {
  readonly #file: ProgramFile;
  readonly #bytesMax: number;
  readonly #insert: ProgramStatement;
  readonly #touch: ProgramStatement;
  readonly #oldest: ProgramStatement;
  readonly #remove: ProgramStatement;
  readonly #oldTouches: ProgramStatement;
  readonly #untouch: ProgramStatement;
  readonly #noteDelivered: ProgramStatement;
  readonly #sizes: ProgramStatement;
  readonly #read: ProgramStatement;
  readonly #lookUp: ProgramStatement;
  /** The last batch that touched the day of a meter, by `<meter> <day>`. */
  readonly #touched = new Map<string, BatchId>();
  #staged = new Map<string, BatchId>();
  #bytes: number;
  #stagedBytes = 0;
  #delivered: number;

  constructor(file: ProgramFile, bytesMax: number) {
    this.#file = file;
    this.#bytesMax = bytesMax;
    this.#insert = file.prepare(
      'insert into outbox (number, token, previous_token, at, bytes, increments, touched) values (?, ?, ?, ?, ?, ?, ?)',
    );
    this.#touch = file.prepare(
      `insert into outbox_touch (meter, day, number, token) values (?, ?, ?, ?)
        on conflict do update set number = excluded.number, token = excluded.token`,
    );
    this.#oldest = file.prepare('select number, at, bytes from outbox order by number limit ?');
    this.#remove = file.prepare('delete from outbox where number <= ?');
    this.#oldTouches = file.prepare('select meter, day from outbox_touch where day < ? limit ?');
    this.#untouch = file.prepare('delete from outbox_touch where meter = ? and day = ?');
    this.#noteDelivered = file.prepare('update ledger set delivered = ? where delivered <> ?');
    this.#sizes = file.prepare('select bytes from outbox where number > ? order by number limit ?');
    this.#read = file.prepare(
      'select number, token, previous_token, at, increments, touched from outbox where number > ? order by number limit ?',
    );
    this.#delivered = Number(file.prepare('select delivered from ledger').all()[0]?.[0] ?? 0);
    this.#lookUp = file.prepare(batchRecordSql);
    for (const row of file.prepare('select meter, day, number, token from outbox_touch').all()) {
      const { meter, day, batch } = touchedDayOf(row);
      this.#touched.set(`${meter} ${day}`, batch);
    }
    this.#bytes = Number(file.prepare('select coalesce(sum(bytes), 0) from outbox').all()[0]?.[0]);
  }

  /** Adds a batch, in its transaction. Throws `ledger_full` if the outbox is full. */
  put(
    batch: Omit<OutboxBatch, 'at' | 'increments' | 'touched'>,
    at: number,
    increments: readonly OutboxIncrement[],
  ): void {
    const { number, token, previousToken } = batch;
    this.#staged = new Map();
    const touched = [...meterDays(increments)].map(([key, { meter, day }]) => {
      this.#staged.set(key, { number, token });
      this.#touch.run(meter, day, number, token);
      const previous = this.#touched.get(key);
      return previous ? [meter, day, previous.number, previous.token] : [meter, day, 0, ''];
    });
    const cells = JSON.stringify(increments.map(packed));
    const days = JSON.stringify(touched);
    this.#stagedBytes = cells.length + days.length + 32;
    if (this.#bytes + this.#stagedBytes > this.#bytesMax) {
      throw new TonnageError(
        'ledger_full',
        `the outbox holds ${this.#bytes} bytes of ${this.#bytesMax}: nothing more is taken until the store has some of it`,
      );
    }
    this.#insert.run(number, token, previousToken, at, this.#stagedBytes, cells, days);
  }

  /** Commit. */
  keep(): void {
    for (const [key, batch] of this.#staged) this.#touched.set(key, batch);
    this.#bytes += this.#stagedBytes;
    this.end();
  }

  /** The batch has ended, committed or not. */
  end(): void {
    this.#staged = new Map();
    this.#stagedBytes = 0;
  }

  trim({ delivered, confirmed, before, bytesMax }: TrimRule): OutboxStatus {
    let last = 0;
    let bytes = this.#bytes;
    for (const row of this.#oldest.all(trimmedMax)) {
      const [number = 0, at = 0, size = 0] = row.map(Number);
      const isOld = at < before;
      const mayGoEarly = bytes > bytesMax && number <= confirmed;
      if (number > delivered || !(isOld || mayGoEarly)) break;
      last = number;
      bytes -= size;
    }
    if (last > 0 || delivered !== this.#delivered) {
      this.#file.transact(() => {
        if (last > 0) this.#remove.run(last);
        this.#noteDelivered.run(delivered, delivered);
      });
      this.#bytes = bytes;
      this.#delivered = delivered;
    }
    return this.status();
  }

  /** The rows of `Outbox.read`, as stored. */
  read({ after, max }: ReadRule): readonly (readonly SqlValue[])[] {
    let bytes = 0;
    const sizes = this.#sizes.all(after, max);
    const tooMany = sizes.findIndex(([size], index) => (bytes += Number(size)) > readBytesMax && index > 0);
    return this.#read.all(after, tooMany < 0 ? max : tooMany);
  }

  touchedBefore({ day, max }: { readonly day: Day; readonly max: number }): readonly MeterDay[] {
    return this.#oldTouches.all(day, max).map(([meter, touched]) => ({ meter: String(meter), day: Number(touched) }));
  }

  touchedAsOf({ day, number }: AsOfRule): readonly TouchedDay[] {
    return this.#file.prepare(touchedAsOfSql).all(day, number, day, number).map(touchedDayOf);
  }

  untouch(days: readonly MeterDay[]): void {
    this.#file.transact(() => {
      for (const { meter, day } of days) this.#untouch.run(meter, day);
    });
    for (const { meter, day } of days) this.#touched.delete(`${meter} ${day}`);
  }

  lookUp(number: number): BatchRecord {
    return batchRecordOf(this.#lookUp.all(number, number, number)[0]);
  }

  gap(): LedgerGap | undefined {
    return gapOf(this.#file.prepare(`select ${gapColumns} from ledger`).all()[0]);
  }

  noteGap(gap: LedgerGap | undefined): void {
    const update = this.#file.prepare('update ledger set gap = ?, gap_lasts = ?');
    this.#file.transact(() => update.run(gap?.reason ?? null, gap?.isLasting === true ? 1 : 0));
  }

  status(): OutboxStatus {
    const first = this.#oldest.all(1)[0]?.[0];
    return { bytes: this.#bytes, delivered: this.#delivered, ...(first !== undefined && { first: Number(first) }) };
  }
}

/**
 * An increment as the outbox stores it: meter, day, quantity, and the dimensions without trailing nulls. If a void
 * takes it back, the quantity is paired with the batch in which it counted.
 */
function packed({ meter, day, quantity, countedIn, dimensions }: OutboxIncrement): readonly unknown[] {
  const values = dimensionRow(dimensions);
  const amount = countedIn === undefined ? String(quantity) : [String(quantity), countedIn];
  return [meter, day, amount, ...values.slice(0, values.findLastIndex((value) => value !== null) + 1)];
}

function meterDays(increments: readonly OutboxIncrement[]): ReadonlyMap<string, { meter: string; day: Day }> {
  return new Map(increments.map(({ meter, day }) => [`${meter} ${day}`, { meter, day }]));
}
