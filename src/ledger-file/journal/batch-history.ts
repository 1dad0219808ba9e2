import { createHash } from 'node:crypto';
import { systemClock, systemRandom } from '../../base/index.ts';
import type { SqlValue } from '../../sqlite/index.ts';
import type { BatchRecord, LedgerGap, TouchedDay } from '../../store/index.ts';

/**
 * A batch's token: 96 bits as 16 characters. The time is part of it because two copies of a running virtual machine
 * share the state of their random number generators.
 */
export function newBatchToken(): string {
  const moment = `${systemClock.now()} ${systemClock.monotonic()}`;
  return createHash('sha256').update(systemRandom.bytes(16)).update(moment).digest('base64url').slice(0, 16);
}

/** What the file knows of a batch. Parameters: the batch's number, three times. */
export const batchRecordSql = `select
    coalesce(
      (select coalesce(token, '') from outbox where number = ?),
      (select coalesce(previous_token, '') from outbox where number = ? + 1),
      (select coalesce(last_token, '') from ledger where last_batch = ?)
    ),
    coalesce((select min(number) from outbox), last_batch + 1),
    last_batch
  from ledger`;

/** Reads the row of `batchRecordSql`. */
export function batchRecordOf([token, first, last]: readonly SqlValue[] = []): BatchRecord {
  return { token: typeof token === 'string' ? token : undefined, first: Number(first), last: Number(last) };
}

/**
 * Meters' days with the last batch up to a number that touched them. Parameters: the first day, the number, both again.
 * A batch after that number knows which batch touched the same before it.
 */
export const touchedAsOfSql = `select meter, day, number, token from outbox_touch where day >= ? and number <= ?
  union all
  select meter, day, number, token from (
    select value ->> 0 as meter, value ->> 1 as day, value ->> 2 as number, value ->> 3 as token, min(outbox.number)
    from outbox, json_each(outbox.touched) where value ->> 1 >= ? and outbox.number > ? group by 1, 2
  ) where number > 0
  order by day, meter`;

/** Reads a row of `touchedAsOfSql`. */
export function touchedDayOf([meter, day, number, token]: readonly SqlValue[]): TouchedDay {
  return { meter: String(meter), day: Number(day), batch: { number: Number(number), token: textOf(token) } };
}

/** A column that is null in what older releases wrote. */
export function textOf(value: SqlValue | undefined): string {
  return typeof value === 'string' ? value : '';
}

/** The columns of the table `ledger` that `gapOf` reads. */
export const gapColumns = 'gap, gap_lasts';

/** The loss that a ledger file has on record. */
export function gapOf([reason, lasts]: readonly SqlValue[] = []): LedgerGap | undefined {
  return typeof reason === 'string' ? { reason, isLasting: Number(lasts) === 1 } : undefined;
}
