import type { ProgramFile, ProgramStatement } from '../../sqlite/index.ts';
import { monthOf, type Day, type Increment, type Series } from '../../usage/index.ts';
import type { AccountTotal } from '../contract.ts';
import type { StoredSeries } from './series-ids.ts';

/** SQLite's largest integer; a sum beyond it would silently turn into a rounded number. */
const integerMax = 2n ** 63n - 1n;

interface Cell {
  readonly stored: StoredSeries;
  readonly day: Day;
  quantity: bigint;
}

/** What one account gains in one month, which is also what its days gain there, or none of them. */
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

/** What an account gains on one day, and how much of it was stated by others (`account_day.stated`). */
interface DayGain {
  quantity: bigint;
  stated: bigint;
}

/** How an increment comes about, which decides what of `account_total` it raises. */
export type Origin = 'counted' | 'voided' | 'backfill';

/** What the tables gain by one batch: summed first, so that a row is touched once however many events meet in it. */
export class Gains {
  readonly #accounts = new Map<string, AccountMonth>();
  readonly #cells = new Map<number, Map<Day, Cell>>();

  add(stored: StoredSeries, day: Day, quantity: bigint, origin: Origin, isStated = false): void {
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

/** What of the gains is in the tables now, and how many cells, of which accounts, could not be added. */
export interface Written {
  readonly increments: readonly Increment[];
  readonly rejected: number;
  readonly rejectedOf: readonly AccountTotal[];
}

/** The batch whose gains are written. */
export interface WrittenBatch {
  readonly number: number;
  readonly at: number;
  readonly detailsFrom: Day;
  /** The runs of the keys that came with it, in their order. */
  readonly runs?: readonly { readonly run: number }[];
}

/** Adds gains to the tables. */
export class Sums {
  readonly #month: ProgramStatement;
  readonly #day: ProgramStatement;
  readonly #detail: ProgramStatement;
  readonly #total: ProgramStatement;
  readonly #reject: ProgramStatement;

  constructor(file: ProgramFile) {
    const add = (table: string, period: string, guard: string) =>
      file.prepare(`insert into ${table} (${period}, series, value) values (?, ?, ?)
        on conflict (${period}, series) do update set value = value + excluded.value ${guard}`);
    this.#month = add('account_month', 'month', `where excluded.value <= 0 or value <= ${integerMax} - excluded.value`);
    this.#day = file.prepare(`insert into account_day (day, series, value, stated) values (?, ?, ?, max(0, ?))
        on conflict (day, series) do update set value = value + excluded.value, stated = max(0, stated + ?)`);
    this.#detail = add('detail_day', 'day', '');
    this.#total = file.prepare(`insert into account_total (series, counted, voided) values (?, ?, ?)
      on conflict (series) do update set
        counted = iif(counted <= ${integerMax} - excluded.counted, counted + excluded.counted, ${integerMax}),
        voided = iif(voided <= ${integerMax} - excluded.voided, voided + excluded.voided, ${integerMax})`);
    this.#reject = file.prepare(
      `insert into rejected (at, batch, series, day, quantity, first_run, last_run)
        values (?, ?, ?, ?, cast(? as text), ?, ?)`,
    );
  }

  /**
   * Writes the gains of a batch. An account whose month would overflow is left as it is, with its cells noted as
   * rejected: a month is at least each of its days and details, so where it has room they have. Details of days before
   * `detailsFrom` are no longer kept.
   */
  write(gains: Gains, { number, at, detailsFrom, runs = [] }: WrittenBatch): Written {
    const [firstRun, lastRun] = [runs[0]?.run ?? null, runs.at(-1)?.run ?? null];
    const increments: Increment[] = [];
    const rejectedOf: AccountTotal[] = [];
    let rejected = 0;
    for (const account of gains.accounts) {
      const fits =
        account.quantity <= integerMax && this.#month.run(account.month, account.accountId, account.quantity) > 0;
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
      if (account.counted !== 0n || account.voided !== 0n) {
        this.#total.run(account.accountId, capped(account.counted), capped(account.voided));
      }
      for (const { stored, day, quantity } of account.cells) {
        if (day >= detailsFrom) this.#detail.run(day, stored.id, quantity);
        if (quantity !== 0n) increments.push({ ...stored.series, day, quantity });
      }
    }
    return { increments, rejected, rejectedOf };
  }
}

function capped(value: bigint): bigint {
  return value > integerMax ? integerMax : value;
}
