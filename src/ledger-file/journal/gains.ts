import type { ProgramFile, ProgramStatement } from '../../sqlite/index.ts';
import { monthOf, type Day, type Series } from '../../usage/index.ts';
import type { AccountTotal, OutboxIncrement } from '../../store/index.ts';
import type { StoredSeries } from './series-ids.ts';

/** SQLite's largest integer. SQLite would silently turn a larger sum into a rounded number. */
const integerMax = 2n ** 63n - 1n;

interface Cell {
  readonly stored: StoredSeries;
  readonly day: Day;
  quantity: bigint;
  /** The part of the quantity that voids take back, by the batch in which their events counted (0: not known). */
  takenBack?: Map<number, bigint>;
}

/** What one account gains in one month: all of its days gain, or none. */
interface AccountMonth {
  readonly account: Series;
  readonly accountId: number;
  readonly month: Day;
  readonly days: Map<Day, DayGain>;
  readonly cells: Cell[];
  quantity: bigint;
  counted: bigint;
  voided: bigint;
}

/** What an account gains on one day, and the stated part of it (`account_day.stated`). */
interface DayGain {
  quantity: bigint;
  stated: bigint;
}

/** Further facts about an increment. */
interface About {
  /** The credentials are not bound to the organisation. */
  readonly isStated?: boolean | undefined;
  /** If it is voided: the batch in which it counted, if that is known. */
  readonly countedIn?: number | undefined;
}

/** The origin of an increment, which decides what it raises in `account_total`. */
export type Origin = 'counted' | 'voided' | 'backfill';

/** What the tables gain by one batch. It is summed first, so that each row is written once. */
export class Gains {
  readonly #accounts = new Map<string, AccountMonth>();
  readonly #cells = new Map<number, Map<Day, Cell>>();

  add(stored: StoredSeries, day: Day, quantity: bigint, origin: Origin, about: About = {}): void {
    const { isStated = false, countedIn = 0 } = about;
    const account = this.#account(stored, monthOf(day));
    account.quantity += quantity;
    let gain = account.days.get(day);
    if (gain === undefined) account.days.set(day, (gain = { quantity: 0n, stated: 0n }));
    gain.quantity += quantity;
    if (isStated) gain.stated += quantity;
    if (origin === 'counted') account.counted += quantity;
    else if (origin === 'voided') account.voided -= quantity;
    const cell = this.#cell(stored, day, account);
    cell.quantity += quantity;
    if (origin !== 'voided') return;
    cell.takenBack ??= new Map();
    cell.takenBack.set(countedIn, (cell.takenBack.get(countedIn) ?? 0n) + quantity);
  }

  get accounts(): Iterable<AccountMonth> {
    return this.#accounts.values();
  }

  #account({ account: series, accountId }: StoredSeries, month: Day): AccountMonth {
    const key = `${accountId} ${month}`;
    let account = this.#accounts.get(key);
    if (account === undefined) {
      const sums = { quantity: 0n, counted: 0n, voided: 0n };
      account = { account: series, accountId, month, days: new Map(), cells: [], ...sums };
      this.#accounts.set(key, account);
    }
    return account;
  }

  #cell(stored: StoredSeries, day: Day, account: AccountMonth): Cell {
    let days = this.#cells.get(stored.id);
    if (days === undefined) this.#cells.set(stored.id, (days = new Map<Day, Cell>()));
    let cell = days.get(day);
    if (cell === undefined) {
      cell = { stored, day, quantity: 0n };
      days.set(day, cell);
      account.cells.push(cell);
    }
    return cell;
  }
}

/** The gains that were written, and the cells and accounts that were rejected. */
export interface Written {
  readonly increments: readonly OutboxIncrement[];
  readonly rejected: number;
  readonly rejectedOf: readonly AccountTotal[];
}

/** The batch whose gains are written. */
export interface WrittenBatch {
  readonly number: number;
  readonly at: number;
  readonly detailsFrom: Day;
  /** The runs of the keys whose events count in it, in order. */
  readonly runs?: readonly number[];
}

/** Adds gains to the tables. */
export class Sums {
  readonly #month: ProgramStatement;
  readonly #day: ProgramStatement;
  readonly #detail: ProgramStatement;
  readonly #total: ProgramStatement;
  readonly #readTotal: ProgramStatement;
  readonly #reject: ProgramStatement;

  constructor(file: ProgramFile) {
    const add = (table: string, period: string, guard: string) =>
      file.prepare(`insert into ${table} (${period}, series, value) values (?, ?, ?)
        on conflict (${period}, series) do update set value = value + excluded.value ${guard}`);
    const fits = `iif(excluded.value > 0, value <= ${integerMax} - excluded.value, value >= -${integerMax} - excluded.value)`;
    this.#month = add('account_month', 'month', `where ${fits}`);
    this.#day = file.prepare(`insert into account_day (day, series, value, stated) values (?, ?, ?, max(0, ?))
        on conflict (day, series) do update set value = value + excluded.value, stated = max(0, stated + ?)`);
    this.#detail = add('detail_day', 'day', '');
    this.#total = file.prepare(`insert into account_total (series, counted, voided) values (?, ?, ?)
      on conflict (series) do update set counted = counted + excluded.counted, voided = voided + excluded.voided
      where counted <= ${integerMax} - excluded.counted and voided <= ${integerMax} - excluded.voided`);
    this.#readTotal = file.prepare('select counted, voided from account_total where series = ?');
    this.#reject = file.prepare(
      `insert into rejected (at, batch, series, day, quantity, first_run, last_run)
        values (?, ?, ?, ?, cast(? as text), ?, ?)`,
    );
  }

  /**
   * Writes the gains of a batch. If the month of an account would overflow, all of its cells in that month are
   * rejected. A month is at least as large as each of its days and details, so these do not overflow otherwise. Details
   * of days before `detailsFrom` are not kept.
   */
  write(gains: Gains, { number, at, detailsFrom, runs = [] }: WrittenBatch): Written {
    const [firstRun, lastRun] = [runs[0] ?? null, runs.at(-1) ?? null];
    const increments: OutboxIncrement[] = [];
    const rejectedOf: AccountTotal[] = [];
    let rejected = 0;
    for (const account of gains.accounts) {
      const fits =
        account.quantity <= integerMax &&
        account.quantity >= -integerMax &&
        this.#month.run(account.month, account.accountId, account.quantity) > 0;
      if (!fits) {
        for (const { stored, day, quantity } of account.cells) {
          this.#reject.run(at, number, stored.id, day, String(quantity), firstRun, lastRun);
        }
        rejected += account.cells.length;
        rejectedOf.push({ account: account.account, counted: account.counted, voided: account.voided });
        continue;
      }
      for (const [day, { quantity, stated }] of account.days) {
        this.#day.run(day, account.accountId, quantity, stated, stated);
      }
      const beyond = this.#addTotal(account);
      if (beyond) rejectedOf.push(beyond);
      for (const cell of account.cells) {
        const { stored, day, quantity } = cell;
        if (day >= detailsFrom) this.#detail.run(day, stored.id, quantity);
        increments.push(...incrementsOf(cell));
      }
    }
    return { increments, rejected, rejectedOf };
  }

  /** Adds to the sums of all time, which stop at the largest integer. Returns the part beyond it, if any. */
  #addTotal({ account, accountId, counted, voided }: AccountMonth): AccountTotal | undefined {
    if (counted === 0n && voided === 0n) return undefined;
    const isWhole = counted <= integerMax && voided <= integerMax && this.#total.run(accountId, counted, voided) > 0;
    if (isWhole) return undefined;
    const [counting = 0n, voiding = 0n] = this.#readTotal.all(accountId)[0]?.map((sum) => BigInt(String(sum))) ?? [];
    const [countable, voidable] = [atMost(counted, integerMax - counting), atMost(voided, integerMax - voiding)];
    this.#total.run(accountId, countable, voidable);
    return { account, counted: counted - countable, voided: voided - voidable };
  }
}

/** What a cell gains, and separately what voids take back: a remote store may have rejected what they take back. */
function incrementsOf({ stored: { series }, day, quantity, takenBack }: Cell): readonly OutboxIncrement[] {
  let gained = quantity;
  const voids: OutboxIncrement[] = [];
  for (const [countedIn, part] of takenBack ?? []) {
    gained -= part;
    voids.push({ ...series, day, quantity: part, ...(countedIn > 0 && { countedIn }) });
  }
  return gained === 0n ? voids : [{ ...series, day, quantity: gained }, ...voids];
}

function atMost(value: bigint, most: bigint): bigint {
  return value > most ? most : value;
}
