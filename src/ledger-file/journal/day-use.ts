import type { ProgramFile, ProgramStatement } from '../../sqlite/index.ts';
import type { Day, Series } from '../../usage/index.ts';

/** Maximum of remembered days, which are then all forgotten. More than the events of one moment can have. */
const daysMax = 400;

/** What an organisation has of one meter on one day: sent with its own credentials, and stated with others or none. */
interface Use {
  own: number;
  stated: number;
}

/** Room for more events of one organisation, meter and day, from one of the two kinds of senders. */
export class Room {
  readonly #use: Use;
  readonly #kind: keyof Use;
  readonly #max: number;

  constructor(use: Use, kind: keyof Use, max: number) {
    this.#use = use;
    this.#kind = kind;
    this.#max = max;
  }

  has(quantity: number): boolean {
    return this.#use[this.#kind] + quantity <= this.#max;
  }

  take(quantity: number): void {
    this.#use[this.#kind] += quantity;
  }
}

/**
 * How much each organisation has of a meter on a day, for the limit of `usage.quantityMax`. Nothing of it is stored: it is
 * read from the accounts of the day when the day's first event comes, and kept up to date with what the writer writes.
 * What others state for an organisation has a limit of its own, so that it takes no room from what the organisation sends.
 */
export class DayUse {
  readonly #select: ProgramStatement;
  readonly #days = new Map<Day, Map<string, Use>>();
  readonly #addWaiting: (use: DayUse) => void;
  #hasWaiting = false;

  /** `addWaiting`: adds events that are stored and not counted yet. */
  constructor(file: ProgramFile, addWaiting: (use: DayUse) => void) {
    this.#addWaiting = addWaiting;
    // In floating point, because integer sums could overflow. Limits are far below what doubles hold exactly.
    this.#select = file.prepare(`select s.meter, s.org, total(value), total(stated)
      from account_day join series s on s.id = account_day.series where day = ? group by 1, 2`);
  }

  /** Room for events of this account on this day, if `max` is the limit of its organisation. */
  roomOf(account: Series, day: Day, isStated: boolean, max: number): Room {
    return new Room(this.#useOf(account, day), isStated ? 'stated' : 'own', max);
  }

  /** Adds what the account gains on a day (negative: loses), if the day is remembered. */
  add({ meter, dimensions }: Series, day: Day, quantity: bigint, isStated = false): void {
    const uses = this.#days.get(day);
    if (uses) useIn(uses, meter, dimensions.org)[isStated ? 'stated' : 'own'] += Number(quantity);
  }

  /** Remembers a day, and adds to it. */
  addWaiting(account: Series, day: Day, quantity: number, isStated: boolean): void {
    this.#useOf(account, day)[isStated ? 'stated' : 'own'] += quantity;
  }

  /** Rollback: forgets all days. */
  forget(): void {
    this.#days.clear();
    this.#hasWaiting = false;
  }

  #useOf({ meter, dimensions }: Series, day: Day): Use {
    if (this.#days.size > daysMax) this.forget();
    if (!this.#hasWaiting) {
      this.#hasWaiting = true;
      this.#addWaiting(this);
    }
    let uses = this.#days.get(day);
    if (uses === undefined) this.#days.set(day, (uses = this.#read(day)));
    return useIn(uses, meter, dimensions.org);
  }

  #read(day: Day): Map<string, Use> {
    const uses = new Map<string, Use>();
    for (const [meter, org, value, stated] of this.#select.all(day)) {
      const use = useIn(uses, String(meter), typeof org === 'string' ? org : undefined);
      use.stated = Number(stated);
      use.own = Number(value) - use.stated;
    }
    return uses;
  }
}

function useIn(uses: Map<string, Use>, meter: string, org: string | undefined): Use {
  const key = `${meter}\n${org ?? ''}`;
  let use = uses.get(key);
  if (use === undefined) uses.set(key, (use = { own: 0, stated: 0 }));
  return use;
}
