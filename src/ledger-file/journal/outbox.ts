import { assert } from '../../base/index.ts';
import type { Database, SqlValue } from '../../sqlite/index.ts';
import type {
  BatchRecord,
  LedgerGap,
  MeterDay,
  Outbox,
  OutboxBatch,
  OutboxIncrement,
  OutboxStatus,
  TouchedDay,
} from '../../store/index.ts';
import { textOf } from './batch-history.ts';
import type { AsOfRule, ReadRule } from './outbox-writer.ts';
import { valuesOf } from './series-ids.ts';

/** The outbox, and what the writer says of it after each batch. */
export interface OpenOutbox extends Outbox {
  note(status: OutboxStatus): void;
}

/** The outbox of a ledger whose program has one. All is asked of the writer, since the reader may be busy for seconds. */
export async function openOutbox(database: Pick<Database, 'callWriter'>): Promise<OpenOutbox> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each function of program.ts answers what its name says
  const ask = async <T>(name: string, input?: unknown): Promise<T> => (await database.callWriter(name, input)) as T;
  let status = await ask<OutboxStatus>('outboxStatus');
  let gap = await ask<LedgerGap | undefined>('outboxGap');
  return {
    note: (noted) => {
      status = noted;
    },
    status: () => status,
    get gap() {
      return gap;
    },
    async noteGap(noted) {
      gap = noted;
      await ask('outboxNoteGap', noted);
    },
    lookUp: (number) => ask<BatchRecord>('outboxLookUp', number),
    async read(after, max) {
      const rows = await ask<readonly (readonly SqlValue[])[]>('outboxRead', { after, max } satisfies ReadRule);
      return rows.map(outboxBatch);
    },
    async trim(rule) {
      status = await ask<OutboxStatus>('outboxTrim', rule);
    },
    touchedBefore: (day, max) => ask<readonly MeterDay[]>('outboxTouchedBefore', { day, max }),
    touchedAsOf: (day, number) => ask<readonly TouchedDay[]>('outboxTouchedAsOf', { day, number } satisfies AsOfRule),
    untouch: (days) => ask('outboxUntouch', days),
  };
}

function outboxBatch([number, token, previousToken, at, increments, touched]: readonly SqlValue[]): OutboxBatch {
  return {
    number: Number(number),
    token: textOf(token),
    previousToken: textOf(previousToken),
    at: Number(at),
    increments: list(increments).map(unpacked),
    touched: list(touched).map((entry) => {
      // Batches of older releases have no tokens.
      const [meter, day, previous, previousToken = ''] = parts(entry);
      return {
        meter: String(meter),
        day: Number(day),
        previous: { number: Number(previous), token: String(previousToken) },
      };
    }),
  };
}

/** An increment as `outbox-writer.ts` packed it. */
function unpacked(entry: unknown): OutboxIncrement {
  const [meter, day, amount, ...values] = parts(entry);
  const [quantity, countedIn] = Array.isArray(amount) ? parts(amount) : [amount];
  return {
    meter: String(meter),
    day: Number(day),
    quantity: BigInt(String(quantity)),
    dimensions: valuesOf(values),
    ...(countedIn !== undefined && { countedIn: Number(countedIn) }),
  };
}

function list(value: SqlValue | undefined): readonly unknown[] {
  return parts(JSON.parse(String(value)));
}

function parts(value: unknown): readonly unknown[] {
  assert(Array.isArray(value), 'the outbox holds lists');
  return value;
}
