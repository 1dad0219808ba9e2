import type { Database, SqlValue } from '../../sqlite/index.ts';
import { accountNames, type Dimension, type HeldValue } from '../../usage/index.ts';
import type { AccountTotal, Batch, Journal, PendingEvents } from '../../store/index.ts';
import { openOutbox } from './outbox.ts';
import type { WriterFunctions } from './program.ts';

const accountsSql = `select s.meter, s.org, s.arch, counted, voided
  from account_total join series s on s.id = account_total.series`;

export interface JournalOptions {
  readonly database: Database<WriterFunctions>;
  readonly ledgerId: string;
  readonly lastBatch: number;
  /** Whether the file was opened with an outbox. */
  readonly hasOutbox: boolean;
  /** Whether the file was opened with room for events that wait to be claimed. */
  readonly hasPending?: boolean;
}

/** The journal over an open ledger file whose `ledger` row exists. */
export async function createJournal(options: JournalOptions): Promise<Journal> {
  const { database, ledgerId, lastBatch } = options;
  const outbox = options.hasOutbox ? await openOutbox(database) : undefined;
  const pending = options.hasPending === true ? await openPending(database) : undefined;
  let heldKeys = await database.callWriter('heldKeys', undefined);
  return {
    ledgerId,
    lastBatch,
    get heldKeys() {
      return heldKeys;
    },
    ...(outbox && { outbox }),
    ...(pending && { pending }),
    async commit(batch) {
      const reply = await database.callWriter('commit', batch, buffersOf(batch));
      pending?.note(reply.pending ?? 0);
      ({ heldKeys } = reply);
      if (reply.known) return { known: true, added: [], takenBack: [], rejected: 0, rejectedOf: [] };
      if (reply.outbox) outbox?.note(reply.outbox);
      const { outcomes, added, takenBack, rejected, rejectedOf } = reply;
      return { outcomes, added, takenBack, rejected, rejectedOf };
    },
    tidy: (before) => database.callWriter('tidy', before),
    async accounts() {
      const rows = await database.read(accountsSql);
      return rows.map(accountTotal);
    },
    async valuesOn(day, dimension, max) {
      const senders = new Map((await database.read(sendersSql, [day])).map(([org = null, ...by]) => [org, by]));
      const rows = await database.read(valuesSql(dimension), [day, max]);
      return rows.flatMap(([value, org = null]): HeldValue | readonly [] => {
        if (typeof value !== 'string') return [];
        const [own, stated] = (senders.get(org) ?? []).map((flag) => Number(flag) === 1);
        return {
          value,
          ...(typeof org === 'string' && { org }),
          own: own === true || stated !== true,
          stated: stated === true,
        };
      });
    },
  };
}

/** The events that wait to be claimed. `note` takes their number from the writer after each batch. */
async function openPending(
  database: Pick<Database<WriterFunctions>, 'callWriter'>,
): Promise<PendingEvents & { note(events: number): void }> {
  let events = await database.callWriter('pendingEvents', undefined);
  return {
    note: (noted) => {
      events = noted;
    },
    get events() {
      return events;
    },
    read: (max) => database.callWriter('pendingRead', max),
  };
}

/** The buffers that move to the writer's thread instead of being copied. Each array has its own buffer. */
function buffersOf({ keyed }: Batch): readonly ArrayBuffer[] {
  if (keyed === undefined) return [];
  const { keys, cellOf, quantities, targets, stated, dayMax } = keyed;
  return [keys, cellOf, quantities, targets, stated, dayMax].flatMap((part) => {
    return part?.buffer instanceof ArrayBuffer ? [part.buffer] : [];
  });
}

function accountTotal([meter, org, arch, counted, voided]: readonly SqlValue[]): AccountTotal {
  return {
    account: { meter: String(meter), dimensions: accountNames({ org, arch }) },
    counted: integer(counted),
    voided: integer(voided),
  };
}

/** The values of a dimension on one day, each with its organisation (parameters: the day, how many at most). */
function valuesSql(dimension: Dimension): string {
  return `select s.${dimension}, s.org from detail_day join series s on s.id = detail_day.series
    where day = ? and s.${dimension} is not null group by 1, 2 order by min(s.id) limit ?`;
}

/** Each organisation of a day (a parameter), whether its own credentials sent anything, and whether anything was stated. */
const sendersSql = `select s.org, max(value > stated), max(stated > 0)
  from account_day join series s on s.id = account_day.series where day = ? group by 1`;

function integer(value: SqlValue | undefined): bigint {
  return typeof value === 'bigint' ? value : 0n;
}
