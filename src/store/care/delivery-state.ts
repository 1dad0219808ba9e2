import type { ReadOnlyDatabase } from '../../sqlite/index.ts';
import { formatDay } from '../../usage/index.ts';
import { careRead, readFacts } from './file.ts';
import type { RemoteCare } from './remote.ts';

/** How the batches of a ledger get to a store elsewhere. */
export interface DeliveryState {
  /** Why they do not, unless somebody does something, and what; none while all is well. */
  readonly stopped: readonly string[];
  /** Batches that are committed and not there. */
  readonly waiting: number;
}

type Reads = Pick<ReadOnlyDatabase, 'read'>;

/**
 * Looks for what keeps batches from being delivered until somebody helps: what the store has lost is in the outbox no
 * more, a backup was put back, or nothing can be written there. Safe while a server delivers. Rejects as `RemoteCare` does.
 */
export async function deliveryState(database: Reads, remote: RemoteCare): Promise<DeliveryState> {
  // What the ledger has is looked at before what the store has, which only grows unless it has lost something.
  const { first, touches } = await keptHere(database, remote);
  const position = await remote.position();
  await remote.assertWritable();
  const { lastBatch } = await readFacts(database);
  if (position > lastBatch) return { stopped: [ahead(position, lastBatch)], waiting: 0 };
  if (position < first - 1) return { stopped: [gap(position, first, lastBatch)], waiting: lastBatch - position };
  const stopped: string[] = [];
  for (const { meter, day, number } of touches) {
    // A later one may be on its way.
    if (number > position) continue;
    const held = await remote.detailPosition(meter, day);
    if (held < number) stopped.push(lostDetails(meter, day, held));
  }
  return { stopped, waiting: lastBatch - position };
}

/**
 * Whether a ledger delivers its batches to a store elsewhere, or did until now: not any more once it was rebuilt or migrated
 * to keep its totals itself.
 */
export async function delivers(database: Reads): Promise<boolean> {
  // A file of an older schema has neither table, and never delivered.
  const tables = await database.read("select 1 from sqlite_schema where name in ('outbox', 'outbox_touch')");
  if (tables.length < 2) return false;
  const sql = 'select exists (select 1 from outbox) or exists (select 1 from outbox_touch)';
  const [row = []] = await database.read(sql);
  return Number(row[0]) === 1;
}

interface Kept {
  /** Number of the first batch that is in the outbox, or would be: everything before it cannot be delivered again. */
  readonly first: number;
  /** The last batch that touched the details of a day. */
  readonly touches: readonly { readonly meter: string; readonly day: number; readonly number: number }[];
}

async function keptHere(database: Reads, { detailsFrom }: RemoteCare): Promise<Kept> {
  const [row = []] = await database.read(
    'select coalesce((select min(number) from outbox), last_batch + 1) from ledger',
  );
  const sql = 'select meter, day, number from outbox_touch where day >= ? order by day, meter';
  const touches = await database.read(sql, [detailsFrom], careRead);
  return {
    first: Number(row[0]),
    touches: touches.map(([meter, day, number]) => ({
      meter: String(meter),
      day: Number(day),
      number: Number(number),
    })),
  };
}

const rebuild = 'stop the server and run tonnage ledger rebuild';

function ahead(position: number, lastBatch: number): string {
  return (
    `has batch ${position} of this ledger, whose own last one is ${lastBatch}, so nothing is delivered (ledger_gap): a ` +
    `backup was put back; ${rebuild}`
  );
}

function gap(position: number, first: number, lastBatch: number): string {
  const kept = first > lastBatch ? 'has none of them any more' : `has them only from ${first} on`;
  return (
    `has lost what came after batch ${position} of this ledger, and the outbox ${kept}, so nothing is delivered ` +
    `(ledger_gap); ${rebuild}`
  );
}

function lostDetails(meter: string, day: number, held: number): string {
  return `has lost details of ${meter} of ${formatDay(day)}, all after batch ${held}; ${rebuild}`;
}
