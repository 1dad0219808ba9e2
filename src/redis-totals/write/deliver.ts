import { assert, limits } from '../../base/index.ts';
import type { Day } from '../../usage/index.ts';
import type { BatchHistory, BatchId, Delivered, OutboxBatch } from '../../store/index.ts';
import { otherBatch } from '../history-errors.ts';
import { batchText, isSameBatch } from '../batch-text.ts';
import { assertOwn, keptBatch, rewindTo } from '../history.ts';
import type { RedisLink } from '../../redis-link/index.ts';
import { composeCall, parseAnswer, sumRun, type Call, type FieldId } from './call.ts';
import { detailRuns, mainRun, placeOf, type TagBatch, type TagRun } from './changes.ts';
import { deliverScript } from './scripts.ts';

/**
 * The batches from the front that go together: as many as hold no more than `cellsMax` cells, and at least one. A script
 * holds Redis for some 0.8 microseconds a field: 4 to 10 ms for 2,000 cells, the latter where each is an account of its
 * own; a batch of 50,000 such cells (300,000 fields) takes 0.3 to 0.6 s. Measured on two cores that others used too.
 */
export function nextRun(batches: readonly OutboxBatch[], cellsMax: number): readonly OutboxBatch[] {
  let cells = 0;
  const end = batches.findIndex((batch, index) => (cells += batch.increments.length) > cellsMax && index > 0);
  return end < 0 ? batches : batches.slice(0, end);
}

export interface DeliveryOptions {
  readonly link: RedisLink;
  readonly ledgerId: string;
  /** The first day whose details are kept. */
  readonly detailsFrom: () => Day;
  /** The ledger's own batches, to recognize those of another history. */
  readonly history: BatchHistory;
  /** Told of each tag that has all of a run, and of the batch that it keeps now. */
  readonly onWritten: (tag: TagRun, kept: BatchId) => void;
}

/** What became of one tag's part of a run. */
type TagDelivered =
  | { readonly rejected: readonly string[] }
  | { readonly kept: number; readonly missing: number; readonly where: string };

/**
 * Delivers batches, run by run. Of each run the details go first, all at once, and Wave's hash only when they are there:
 * its number is what the sender asks for after a restart, so it must not be ahead of anything; and since every batch
 * touches it, a failover that has lost any of the writes before it has lost it too, and shows.
 */
export async function deliverBatches(batches: readonly OutboxBatch[], options: DeliveryOptions): Promise<Delivered> {
  const { ledgerId, detailsFrom } = options;
  let rest = batches;
  const prepareNext = (): PreparedRun | undefined => {
    const run = nextRun(rest, limits.deliveryCellsMax);
    rest = rest.slice(run.length);
    return run.length === 0 ? undefined : prepareRun(ledgerId, run, detailsFrom());
  };
  const rejected: string[] = [];
  for (let run = prepareNext(); run;) {
    const delivering = deliverRun(run, options);
    // While Redis works on one run, the next is made ready.
    const next = prepareNext();
    const delivered = await delivering;
    if (delivered.kind === 'rewind') return delivered;
    rejected.push(...delivered.rejected);
    run = next;
  }
  return { kind: 'delivered', rejected };
}

/** A run with the calls that it begins with. */
interface PreparedRun {
  /** Number of its first batch. */
  readonly first: number;
  readonly details: readonly PreparedTag[];
  readonly main: PreparedTag;
}

interface PreparedTag {
  readonly tag: TagRun;
  readonly call: Call;
}

function prepareRun(ledgerId: string, run: readonly OutboxBatch[], detailsFrom: Day): PreparedRun {
  const prepare = (tag: TagRun): PreparedTag => ({ tag, call: callFor(ledgerId, tag, wholeRun(tag), new Set()) });
  return {
    first: run[0]?.number ?? 0,
    details: detailRuns(ledgerId, run, detailsFrom).map(prepare),
    main: prepare(mainRun(ledgerId, run)),
  };
}

/** The call that brings these last batches of a tag's run after batch `previous`; what touches `bad` fields goes single. */
function callFor(ledgerId: string, tag: TagRun, { batches, previous }: Rest, bad: Set<FieldId>): Call {
  const last = lastOf(batches);
  const head = [ledgerId, batchText(last), String(last.number), batchText(previous)];
  return composeCall({ ...tag, ledgerId, lastBatch: last.number }, head, sumRun(batches, bad));
}

/** What is left to send of a tag's run, and the batch that the tag must have now. */
interface Rest {
  readonly batches: readonly TagBatch[];
  readonly previous: BatchId;
}

function lastOf(batches: readonly TagBatch[]): TagBatch {
  const last = batches.at(-1);
  assert(last, 'a run has a batch');
  return last;
}

function wholeRun({ batches }: TagRun): Rest {
  const [first] = batches;
  assert(first, 'a run has a batch');
  return { batches, previous: first.previous };
}

async function deliverRun({ first, details, main }: PreparedRun, options: DeliveryOptions): Promise<Delivered> {
  const { link, ledgerId, detailsFrom, history } = options;
  const ended = await Promise.allSettled(details.map((tag) => deliverTag(tag, options)));
  const parts: TagDelivered[] = [];
  for (const [index, result] of ended.entries()) {
    if (result.status === 'rejected') throw result.reason;
    // Details that were dropped while the call was on its way are not missed.
    const day = details[index]?.tag.detail?.day;
    if (day === undefined || day >= detailsFrom()) parts.push(result.value);
  }
  const behind = parts.filter(isBehind);
  if (behind.length > 0) {
    // A tag may have been touched seldom. If the sums are behind too, their batch is enough.
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
 * Sends one tag's part until all of it is there. More than one call is needed where an earlier delivery, whose answer was
 * lost, had been cut elsewhere (then the rest is sent), and where fields are bad (then what touches them goes single).
 * Throws `ForkedHistory` where the tag has a batch that is not the ledger's.
 */
async function deliverTag({ tag, call: firstCall }: PreparedTag, options: DeliveryOptions): Promise<TagDelivered> {
  const { link, ledgerId, history, onWritten } = options;
  const where = placeOf(tag);
  const last = lastOf(tag.batches);
  const bad = new Set<FieldId>();
  let rest = wholeRun(tag);
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
        // A batch of this run, or one that a rebuild has put there.
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
