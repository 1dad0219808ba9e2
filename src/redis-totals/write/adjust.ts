import { assert, limits, TonnageError } from '../../base/index.ts';
import { accountKey, accountNames, formatDay, parseAccountKey, type Day, type Increment } from '../../usage/index.ts';
import { lackingKey, missingKey, numbersKey, ownDayKey, rejectedKey } from '../layout.ts';
import type { RedisLink } from '../../redis-link/index.ts';
import { composeCall, fieldId, parseAnswer, sumBatches, type FieldId } from './call.ts';
import { accountKeys, addNames, isWritable, type Account, type Change } from './changes.ts';
import { chunks, type Mark } from './replace.ts';
import { adjustScript } from './scripts.ts';

/** The result of adjusting one day's accounts. */
export interface Adjusted {
  /** The number of changed accounts. */
  readonly adjusted: number;
  /** Accounts that could not be adjusted: meter, day and field of the ledger's own hash, as in `missingMark`. */
  readonly left: readonly string[];
}

export interface AdjustOptions {
  readonly link: RedisLink;
  readonly ledgerId: string;
  readonly mark: Mark;
}

/** The wanted accounts of a day. All other accounts must become 0. */
interface WantedDay {
  readonly meter: string;
  readonly day: Day;
  readonly accounts: readonly Increment[];
}

/** The current value of an account as text (empty: the account is missing), and its wanted value. */
interface Difference {
  readonly account: Account;
  readonly is: string;
  readonly wanted: bigint;
}

/** Accounts per call: each has up to seven fields in Wave's hash. */
const accountsPerCall = Math.floor(limits.redisWriteFieldsMax / 7);
/** How often a day may change between the read and the write, before the rebuild fails. */
const triesMax = 5;

/**
 * Adjusts the ledger's own accounts of one day to the wanted values, and the shared sums by the same differences. Each
 * call states the values that it expects, so a call that arrives late or twice changes nothing. Rejects with
 * `store_rebuilding` if another process changes the day, with `store_invalid`, and with the link's errors.
 */
export async function adjustDay(options: AdjustOptions, wanted: WantedDay): Promise<Adjusted> {
  let adjusted = 0;
  for (let tries = 0; tries < triesMax; tries += 1) {
    const { differences, unreadable } = await compare(options, wanted);
    const result = await adjustAll(options, wanted, differences);
    adjusted += result.adjusted;
    if (result.changed) continue;
    const place = `${wanted.meter} ${formatDay(wanted.day)}`;
    return { adjusted, left: [...result.left, ...unreadable].map((field) => `${place} ${field}`) };
  }
  throw new TonnageError(
    'store_rebuilding',
    `${wanted.meter} of ${formatDay(wanted.day)} keeps changing in Redis: does another process write for the same ledger?`,
  );
}

async function compare({ link, ledgerId }: AdjustOptions, { meter, day, accounts }: WantedDay) {
  const key = ownDayKey(ledgerId, meter, day);
  const reply = await link.send({ key, args: ['HGETALL', key] });
  assert(typeof reply === 'object' && reply !== null, 'HGETALL answers a list');
  const found = new Map<string, string>();
  for (let i = 0; i + 1 < reply.length; i += 2) found.set(String(reply[i]), String(reply[i + 1]));

  const unreadable: string[] = [];
  const differences: Difference[] = [];
  const difference = (account: Account, is: string, value: bigint) => {
    if (!isWritable(account) || (is !== '' && !/^-?\d{1,19}$/.test(is))) unreadable.push(accountKey(account));
    else if (BigInt(is) !== value) differences.push({ account, is, wanted: value });
  };
  for (const { dimensions, quantity } of accounts) {
    const field = accountKey(dimensions);
    difference({ meter, day, ...accountNames(dimensions) }, found.get(field) ?? '', quantity);
    found.delete(field);
  }
  for (const [field, is] of found) {
    const names = parseAccountKey(field);
    if (names) difference({ meter, day, ...names }, is, 0n);
    else unreadable.push(field);
  }
  return { differences, unreadable };
}

async function adjustAll(options: AdjustOptions, wanted: WantedDay, differences: readonly Difference[]) {
  const parts = [...chunks(differences, accountsPerCall)];
  // One call even without a difference, to add the names to the index.
  if (parts.length === 0 && wanted.accounts.length > 0) parts.push([]);
  const left: string[] = [];
  const sum = { adjusted: 0, left, changed: false };
  for (const part of parts) {
    const bad = new Set<FieldId>();
    const names = new Map<string, Set<string>>();
    addNames(names, options.ledgerId, { ...wanted, increments: wanted.accounts });
    let rest = part;
    for (;;) {
      const answer = await adjust(options, wanted, { differences: rest, names, bad });
      if (answer.kind === 'applied') break;
      if (answer.kind === 'changed') return { ...sum, changed: true };
      assert(answer.kind === 'bad', 'an adjustment answers applied, changed or bad');
      for (const field of answer.fields) bad.add(field);
      const isBad = ({ account }: Difference): boolean => touches(options.ledgerId, account, bad);
      left.push(...rest.filter(isBad).map(({ account }) => accountKey(account)));
      rest = rest.filter((one) => !isBad(one));
    }
    sum.adjusted += rest.length;
  }
  return sum;
}

interface Adjustment {
  readonly differences: readonly Difference[];
  readonly names: ReadonlyMap<string, ReadonlySet<string>>;
  /** Fields that are known to be bad. None of them is an all-or-nothing field of these differences. */
  readonly bad: ReadonlySet<FieldId>;
}

async function adjust(
  { link, ledgerId, mark }: AdjustOptions,
  day: WantedDay,
  { differences, names, bad }: Adjustment,
) {
  const own = ownDayKey(ledgerId, day.meter, day.day);
  const changes = differences.map(({ account, is, wanted }) => changeOf(ledgerId, account, wanted - BigInt(is)));
  const fields = differences.map(({ account }) => accountKey(account));
  const expected = differences.map(({ is }) => is);
  const head = [ledgerId, mark.text, String(fields.length), ...fields, ...expected];
  const counts = sumBatches([{ changes, names }], new Set(bad));
  // The ledger's own hash comes first, because the script compares the hash at KEYS[2].
  const hashes = new Map([[own, counts.hashes.get(own) ?? new Map<string, bigint>()], ...counts.hashes]);
  const of = {
    numbersKey,
    rejectedKey,
    lackingKey: lackingKey(ledgerId),
    missingKey: missingKey(ledgerId),
    own: new Set([own]),
    ledgerId,
    lastBatch: 0,
  };
  const call = composeCall(of, head, { ...counts, hashes });
  return parseAnswer(await link.script(adjustScript, call.keys, call.args), call);
}

/** The change of an account, without the month: the rebuild replaces the hash of the month as a whole. */
function changeOf(ledgerId: string, account: Account, amount: bigint): Change {
  const { ownMonth, change } = accountKeys(ledgerId, account);
  const whole = change(account, amount);
  return { batch: 0, ...whole, hashes: whole.hashes.filter(({ key }) => key !== ownMonth) };
}

function touches(ledgerId: string, account: Account, bad: ReadonlySet<FieldId>): boolean {
  const { hashes } = changeOf(ledgerId, account, 0n);
  return hashes.some(({ key, fields }) => fields.some((field) => bad.has(fieldId(key, field))));
}
