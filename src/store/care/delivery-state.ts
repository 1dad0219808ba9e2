import type { ReadOnlyDatabase } from '../../sqlite/index.ts';
import { formatDay } from '../../usage/index.ts';
import { delivers } from '../journal/destination.ts';
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
 * more, a backup was put back, none of it was ever meant for there, or nothing can be written there. Safe while a server delivers. Rejects as `RemoteCare` does.
 */
export async function deliveryState(database: Reads, remote: RemoteCare): Promise<DeliveryState> {
  // What the ledger has is looked at before what the store has, which only grows unless it has lost something.
  const { first, touches } = await keptHere(database, remote);
  // A server that starts to count meanwhile puts its first batch into the outbox with it.
  const { lastBatch: counted } = await readFacts(database);
  const isKeptHere = counted > 0 && !(await delivers(database));
  const position = await remote.position();
  await remote.assertWritable();
  if (isKeptHere) return { stopped: [notMeant], waiting: counted };
  const { lastBatch } = await readFacts(database);
  if (position > lastBatch) return { stopped: [ahead(position, lastBatch)], waiting: 0 };
  if (position < first - 1) return { stopped: [gap(position, first)], waiting: lastBatch - position };
  const stopped: string[] = [];
  for (const { meter, day, number } of touches) {
    // A later one may be on its way.
    if (number > position) continue;
    const held = await remote.detailPosition(meter, day);
    if (held < number) stopped.push(lostDetails(meter, day, held));
  }
  return { stopped, waiting: lastBatch - position };
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

/** What is missing there is kept here no more. A store that has nothing at all may be another one than it was. */
function gap(position: number, first: number): string {
  const missing = first - 1 === position + 1 ? `batch ${first - 1}` : `batches ${position + 1} to ${first - 1}`;
  const has =
    position === 0
      ? `has nothing of this ledger (it was emptied, or is another one than before), and the outbox does not have ${missing} any more`
      : `has lost ${missing} of this ledger, which the outbox does not have any more`;
  return `${has}, so nothing is delivered (ledger_gap); ${rebuild}`;
}

const notMeant =
  'gets nothing of this ledger, which has kept its totals itself until now, so no server starts with this configuration: take ' +
  'them there with tonnage ledger migrate --to this configuration, or with tonnage ledger rebuild';

function lostDetails(meter: string, day: number, held: number): string {
  return `has lost details of ${meter} of ${formatDay(day)}, all after batch ${held}; ${rebuild}`;
}
