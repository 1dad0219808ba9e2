import { assert, limits } from '../../base/index.ts';
import type { Day } from '../../usage/index.ts';
import type { BatchHistory, BatchId, Delivered, OutboxBatch } from '../../store/index.ts';
import { otherBatch } from '../history-errors.ts';
import { batchText, isSameBatch } from '../batch-text.ts';
import { assertOwn, keptBatch, rewindTo } from '../history.ts';
import type { RedisLink } from '../../redis-link/index.ts';
import { composeCall, parseAnswer, sumBatches, type Call, type FieldId } from './call.ts';
import { detailBatches, mainBatches, describeTag, type TagBatch, type TagBatches } from './changes.ts';
import { deliverScript } from './scripts.ts';

/**
 * The first batches that together have at most `cellsMax` cells, but at least one batch. They are delivered in one call
 * per tag. A script blocks Redis for about 0.8 microseconds per field: 4 to 10 ms for 2,000 cells (10 ms if each cell
 * is an account of its own). A batch of 50,000 such cells (300,000 fields) takes 0.3 to 0.6 s. Measured on two busy
 * cores.
 */
export function nextGroup(batches: readonly OutboxBatch[], cellsMax: number): readonly OutboxBatch[] {
  let cells = 0;
  const end = batches.findIndex((batch, index) => (cells += batch.increments.length) > cellsMax && index > 0);
  return end < 0 ? batches : batches.slice(0, end);
}

export interface DeliveryOptions {
  readonly link: RedisLink;
  readonly ledgerId: string;
  /** Returns the first day whose details are kept. */
  readonly detailsFrom: () => Day;
  /** The batches of the ledger, to recognise those of another history. */
  readonly history: BatchHistory;
  /** Called when a tag has all its batches of a group. `kept` is the last batch in the tag. */
  readonly onWritten: (tag: TagBatches, kept: BatchId) => void;
}

/** The outcome for one tag: delivered, or the tag misses an earlier batch. */
type TagDelivered =
  | { readonly rejected: readonly string[] }
  | { readonly kept: number; readonly missing: number; readonly where: string };

/**
 * Delivers batches in groups. Rejects with the errors of `RedisWriter.deliver`.
 *
 * The details of a group are delivered first and concurrently, and Wave's hash last. The sender reads the number there
 * after a restart, so it must not be ahead of the details. A failover of a single Redis that loses details also loses
 * this later write, so the sender sees the loss.
 */
export async function deliverBatches(batches: readonly OutboxBatch[], options: DeliveryOptions): Promise<Delivered> {
  const { ledgerId, detailsFrom } = options;
  let rest = batches;
  const prepareNext = (): PreparedGroup | undefined => {
    const group = nextGroup(rest, limits.deliveryCellsMax);
    rest = rest.slice(group.length);
    return group.length === 0 ? undefined : prepareGroup(ledgerId, group, detailsFrom());
  };
  const rejected: string[] = [];
  for (let group = prepareNext(); group;) {
    const delivering = deliverGroup(group, options);
    // Prepare the next group while Redis applies this one.
    const next = prepareNext();
    const delivered = await delivering;
    if (delivered.kind === 'rewind') return delivered;
    rejected.push(...delivered.rejected);
    group = next;
  }
  return { kind: 'delivered', rejected };
}

/** A group of batches with the first call for each tag. */
interface PreparedGroup {
  /** Number of the first batch. */
  readonly first: number;
  readonly details: readonly PreparedTag[];
  readonly main: PreparedTag;
}

interface PreparedTag {
  readonly tag: TagBatches;
  readonly call: Call;
}

function prepareGroup(ledgerId: string, group: readonly OutboxBatch[], detailsFrom: Day): PreparedGroup {
  const prepare = (tag: TagBatches): PreparedTag => ({ tag, call: callFor(ledgerId, tag, allOf(tag), new Set()) });
  return {
    first: group[0]?.number ?? 0,
    details: detailBatches(ledgerId, group, detailsFrom).map(prepare),
    main: prepare(mainBatches(ledgerId, group)),
  };
}

/** The call for the remaining batches of a tag. Changes of `bad` fields are applied individually. */
function callFor(ledgerId: string, tag: TagBatches, { batches, previous }: Remaining, bad: Set<FieldId>): Call {
  const last = lastOf(batches);
  const head = [ledgerId, batchText(last), String(last.number), batchText(previous)];
  return composeCall({ ...tag, ledgerId, lastBatch: last.number }, head, sumBatches(batches, bad));
}

/** The batches of a tag that are not delivered yet, and the batch that the tag must have now. */
interface Remaining {
  readonly batches: readonly TagBatch[];
  readonly previous: BatchId;
}

function lastOf(batches: readonly TagBatch[]): TagBatch {
  const last = batches.at(-1);
  assert(last, 'a tag has at least one batch');
  return last;
}

function allOf({ batches }: TagBatches): Remaining {
  const [first] = batches;
  assert(first, 'a tag has at least one batch');
  return { batches, previous: first.previous };
}

async function deliverGroup({ first, details, main }: PreparedGroup, options: DeliveryOptions): Promise<Delivered> {
  const { link, ledgerId, detailsFrom, history } = options;
  const ended = await Promise.allSettled(details.map((tag) => deliverTag(tag, options)));
  const parts: TagDelivered[] = [];
  for (const [index, result] of ended.entries()) {
    if (result.status === 'rejected') throw result.reason;
    // Ignore details that expired while the call was in flight.
    const day = details[index]?.tag.detail?.day;
    if (day === undefined || day >= detailsFrom()) parts.push(result.value);
  }
  const behind = parts.filter(isBehind);
  if (behind.length > 0) {
    // A tag that changes seldom may be far behind. If the sums are behind too, go back only to their batch.
    const { number: kept } = await keptBatch(link, ledgerId, history);
    if (kept < first - 1) return { kind: 'rewind', to: kept };
    const places = await Promise.all(behind.map((part) => rewindTo(history, part)));
    return { kind: 'rewind', to: Math.min(...places) };
  }
  const result = await deliverTag(main, options);
  if (isBehind(result)) return { kind: 'rewind', to: await rewindTo(history, result) };
  return { kind: 'delivered', rejected: [result, ...parts].flatMap(rejectedOf) };
}

function rejectedOf(part: TagDelivered): readonly string[] {
  return 'rejected' in part ? part.rejected : [];
}

function isBehind(part: TagDelivered): part is Exclude<TagDelivered, { readonly rejected: readonly string[] }> {
  return 'missing' in part;
}

/**
 * Delivers one tag's batches. It takes more than one call if the tag already has some of them, from a delivery whose
 * answer was lost, or if a field is bad: changes of that field are then applied individually. Throws `ForkedHistory` if
 * the tag has a batch that is not the ledger's.
 */
async function deliverTag({ tag, call: firstCall }: PreparedTag, options: DeliveryOptions): Promise<TagDelivered> {
  const { link, ledgerId, history, onWritten } = options;
  const where = describeTag(tag);
  const last = lastOf(tag.batches);
  const bad = new Set<FieldId>();
  let rest = allOf(tag);
  for (let call = firstCall; ; call = callFor(ledgerId, tag, rest, bad)) {
    const answer = parseAnswer(await link.script(deliverScript, call.keys, call.args), call);
    switch (answer.kind) {
      case 'applied':
        onWritten(tag, last);
        return { rejected: answer.rejected };
      case 'duplicate':
        if (!isSameBatch(answer.batch, last)) await assertOwn(history, answer.batch, where);
        onWritten(tag, answer.batch);
        return { rejected: [] };
      case 'kept': {
        const { batch: kept } = answer;
        const { previous } = rest;
        if (kept.number < previous.number) return { kept: kept.number, missing: previous.number, where };
        if (kept.number === previous.number) throw otherBatch(where, kept.number);
        // The kept batch is one of these batches, or the batch of a rebuild.
        await assertOwn(history, kept, where);
        rest = { batches: rest.batches.filter(({ number }) => number > kept.number), previous: kept };
        break;
      }
      case 'bad':
        for (const field of answer.fields) bad.add(field);
        break;
      default:
        throw new Error(`BUG: a delivery was answered with ${answer.kind}`);
    }
  }
}
