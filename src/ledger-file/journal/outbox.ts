import { assert } from '../../base/index.ts';
import type { Database, SqlValue } from '../../sqlite/index.ts';
import type { Outbox, OutboxBatch, OutboxIncrement, OutboxStatus } from '../../store/index.ts';
import { textOf } from './batch-history.ts';
import type { WriterFunctions } from './program.ts';
import { valuesOf } from './series-ids.ts';

/** The outbox. `note` takes its status from the writer after each batch. */
export interface OpenOutbox extends Outbox {
  note(status: OutboxStatus): void;
}

/** The outbox of a file that was opened with one. It uses the writer only, since the reader may be busy for seconds. */
export async function openOutbox({ callWriter }: Pick<Database<WriterFunctions>, 'callWriter'>): Promise<OpenOutbox> {
  let status = await callWriter('outboxStatus', undefined);
  let gap = await callWriter('outboxGap', undefined);
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
      await callWriter('outboxNoteGap', noted);
    },
    lookUp: (number) => callWriter('outboxLookUp', number),
    async read(after, max) {
      return (await callWriter('outboxRead', { after, max })).map(outboxBatch);
    },
    async trim(rule) {
      status = await callWriter('outboxTrim', rule);
    },
    touchedBefore: (day, max) => callWriter('outboxTouchedBefore', { day, max }),
    touchedAsOf: (day, number) => callWriter('outboxTouchedAsOf', { day, number }),
    untouch: (days) => callWriter('outboxUntouch', days),
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
