import { assert, limits } from '../../base/index.ts';
import { accountKey, dimensionRow, formatDay, monthOf, parseDay, type Day, type Increment } from '../../usage/index.ts';
import type { BatchId, OwnCounts, OwnDay, RebuildProgress, Rebuilt } from '../../store/index.ts';
import { batchText } from '../batch-text.ts';
import {
  detailField,
  detailKey,
  detailKeys,
  detailMissingKey,
  detailNumbersKey,
  detailRejectedKey,
  lackingKey,
  missingKey,
  numbersKey,
  ownDaysKey,
  ownMonthKey,
  rejectedKey,
} from '../layout.ts';
import type { RedisLink, RedisReply } from '../../redis-link/index.ts';
import { textsOf } from '../reply.ts';
import { adjustDay, type Adjusted } from './adjust.ts';
import { totalsKey } from './changes.ts';
import { editRejected } from './rejected-list.ts';
import { chunks, expectApplied, keptText, nextMark, renumber, replaceHash, type Mark } from './replace.ts';
import { addLackingScript, dropScript } from './scripts.ts';

export interface RebuildOptions {
  readonly link: RedisLink;
  readonly ledgerId: string;
  readonly detailsFrom: Day;
  /** The last batch that the counts include. */
  readonly batch: BatchId;
  readonly onProgress?: (progress: RebuildProgress) => void;
}

interface Work extends RebuildOptions {
  readonly mark: Mark;
  readonly own: OwnCounts;
  /** First days of the months that were replaced, by meter. */
  readonly months: Map<string, Set<Day>>;
  /** Days that were rebuilt, by meter. */
  readonly seen: Map<string, Set<Day>>;
}

/**
 * Makes Redis agree with a ledger's counts. It changes Wave's fields by the difference in the ledger's own part, so the
 * counts of others stay. It replaces the ledger's months and details, and sets its numbers last. Until then a mark
 * replaces the number, so that nothing is delivered to a half-built state.
 *
 * The rebuild may be interrupted anywhere and started again. Other ledgers and Wave may write during it, the same
 * ledger must not. Rejects with `store_rebuilding` if another process writes for the same ledger, with `store_invalid`,
 * and with the link's errors.
 */
export async function rebuild(options: RebuildOptions, own: OwnCounts): Promise<Rebuilt> {
  const { link, ledgerId, batch, onProgress } = options;
  const kept = await keptText(link, numbersKey, ledgerId);
  const mark = nextMark(kept, batch.number);
  await renumber(link, { numbersKey, ledgerId, from: kept, to: mark.text });
  const work: Work = { ...options, mark, own, months: new Map(), seen: new Map() };
  const sum = { days: 0, adjusted: 0, rejected: 0 };
  const left = new Set<string>();
  for await (const adjusted of allDays(work)) {
    sum.days += 1;
    sum.adjusted += adjusted.adjusted;
    sum.rejected += adjusted.left.length;
    for (const account of adjusted.left) left.add(account);
    onProgress?.({ days: sum.days, adjusted: sum.adjusted });
  }
  const lacking = await addLacking(work);
  await deleteMissing(work, left);
  if (sum.rejected === 0 && lacking === 0) await removeRejected(link, rejectedKey, ledgerId);
  await renumber(link, { numbersKey, ledgerId, from: mark.text, to: batchText(batch) });
  return { ...sum, rejected: sum.rejected + lacking };
}

async function* allDays(work: Work): AsyncGenerator<Adjusted> {
  let month = new MonthSum();
  for await (const day of work.own.days()) {
    if (!month.holds(day)) {
      await replaceMonth(work, month);
      month = new MonthSum();
    }
    month.add(day);
    remember(work.seen, day.meter, day.day);
    yield await rebuildDay(work, day);
  }
  await replaceMonth(work, month);
  yield* otherDays(work);
}

/** Clears the days that Redis has of this ledger but the ledger does not have. */
async function* otherDays(work: Work): AsyncGenerator<Adjusted> {
  const { link, ledgerId, own } = work;
  for (const meter of own.meters) {
    const key = ownDaysKey(ledgerId, meter);
    const reply = await link.send({ key, args: ['SMEMBERS', key] });
    const dates = textsOf(reply);
    for (const date of dates) {
      const day = parseDay(date);
      if (day === undefined || work.seen.get(meter)?.has(day)) continue;
      yield await adjustDay(work, { meter, day, accounts: [] });
      await dropDay(work, meter, day);
      if (!work.months.get(meter)?.has(monthOf(day))) await replaceMonth(work, new MonthSum(meter, monthOf(day)));
      await link.send({ key, args: ['SREM', key, date] });
    }
  }
}

async function rebuildDay(work: Work, day: OwnDay): Promise<Adjusted> {
  const adjusted = await adjustDay(work, day);
  if (day.day < work.detailsFrom) await dropDay(work, day.meter, day.day);
  else await replaceDetails(work, day);
  return adjusted;
}

async function dropDay({ link, ledgerId }: Work, meter: string, day: Day): Promise<void> {
  await link.script(dropScript, detailKeys(meter, day, ledgerId), [ledgerId]);
}

async function replaceDetails(work: Work, { meter, day }: OwnDay): Promise<void> {
  const { link, ledgerId, mark, batch, own } = work;
  const numbers = detailNumbersKey(meter, day);
  const kept = await keptText(link, numbers, ledgerId);
  if (kept !== mark.text) await renumber(link, { numbersKey: numbers, ledgerId, from: kept, to: mark.text });
  const key = detailKey(meter, day, ledgerId);
  const pages = pagesOf(own.details(meter, day));
  await replaceHash(link, { numbersKey: numbers, ledgerId, key, mark, to: batchText(batch), pages });
  const missing = detailMissingKey(meter, day, ledgerId);
  await link.send({ key: missing, args: ['UNLINK', missing] });
  await removeRejected(link, detailRejectedKey(meter, day), ledgerId);
}

/** Deletes rejected amounts of accounts that are complete now. A void of their events then takes back everything. */
async function deleteMissing({ link, ledgerId }: Work, left: ReadonlySet<string>): Promise<void> {
  const key = missingKey(ledgerId);
  const reply = await link.send({ key, args: ['HKEYS', key] });
  const marks = textsOf(reply);
  const settled = marks.filter((mark) => !left.has(mark.slice(mark.indexOf(' ') + 1)));
  for (const some of chunks(settled, limits.redisWriteFieldsMax)) {
    await link.send({ key, args: ['HDEL', key, ...some] });
  }
}

/** Removes this ledger's entries from a list of rejected changes: the rebuild has counted them. */
function removeRejected(link: RedisLink, key: string, ledgerId: string): Promise<void> {
  return editRejected(link, key, ({ ledger }) => (ledger === ledgerId ? 'remove' : 'keep'));
}

/** Adds to shared fields what they lack of this ledger. Returns how many fields cannot take the amount. */
async function addLacking({ link, ledgerId, mark, own }: Work): Promise<number> {
  const key = lackingKey(ledgerId);
  const reply = await link.send({ key, args: ['HKEYS', key] });
  const fields = textsOf(reply);
  let lacking = 0;
  for (const field of fields) {
    const totals = totalsKey(own.meters.find((meter) => field.startsWith(`${meter}/`)) ?? '');
    const answer = await link.script(addLackingScript, [numbersKey, totals, key], [ledgerId, mark.text, field]);
    if (isKept(answer)) lacking += 1;
    else expectApplied(answer, numbersKey);
  }
  return lacking;
}

function isKept(reply: RedisReply): boolean {
  return typeof reply === 'object' && reply?.[0] === 'kept';
}

async function* pagesOf(details: AsyncIterable<readonly Increment[]>): AsyncGenerator<readonly string[]> {
  for await (const page of details) {
    yield page.flatMap(({ dimensions, quantity }) => [detailField(dimensionRow(dimensions)), String(quantity)]);
  }
}

async function replaceMonth({ link, ledgerId, mark, months }: Work, month: MonthSum): Promise<void> {
  const { meter, first, sums } = month;
  if (meter === undefined || first === undefined) return;
  remember(months, meter, first);
  const key = ownMonthKey(ledgerId, meter, first);
  const fields = [...sums].filter(([, value]) => value !== 0n).flatMap(([field, value]) => [field, String(value)]);
  const pages = chunks(fields, 2 * limits.redisWriteFieldsMax);
  await replaceHash(link, { numbersKey, ledgerId, key, mark, to: mark.text, pages });
}

function remember(days: Map<string, Set<Day>>, meter: string, day: Day): void {
  const known = days.get(meter) ?? new Set();
  assert(!known.has(day), `the ledger yields ${meter} ${formatDay(day)} once, and the days of its month in sequence`);
  days.set(meter, known.add(day));
}

/** Sums the accounts of a meter by month. */
class MonthSum {
  readonly sums = new Map<string, bigint>();
  meter: string | undefined;
  first: Day | undefined;

  constructor(meter?: string, first?: Day) {
    this.meter = meter;
    this.first = first;
  }

  holds({ meter, day }: OwnDay): boolean {
    return this.meter === undefined || (this.meter === meter && this.first === monthOf(day));
  }

  add({ meter, day, accounts }: OwnDay): void {
    this.meter = meter;
    this.first = monthOf(day);
    for (const { dimensions, quantity } of accounts) {
      const field = accountKey(dimensions);
      this.sums.set(field, (this.sums.get(field) ?? 0n) + quantity);
    }
  }
}
