import { assert, limits } from '../../../base/index.ts';
import type { Day } from '../../../usage/index.ts';
import type { Delivered, OutboxBatch } from '../../contract.ts';
import { numbersKey } from '../layout.ts';
import type { RedisLink } from '../link/types.ts';
import { composeCall, parseAnswer, sumRun, type Call, type FieldId } from './call.ts';
import { detailRuns, mainRun, type TagBatch, type TagRun } from './changes.ts';
import { keptText } from './replace.ts';
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
  /** Told of each tag that has everything up to batch `number`. */
  readonly onWritten: (tag: TagRun, number: number) => void;
}

/** What became of one tag's part of a run. */
type TagDelivered = { readonly rejected: readonly string[] } | { readonly rewindTo: number };

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
  const prepare = (tag: TagRun): PreparedTag => ({ tag, call: callFor(ledgerId, tag, tag.batches, new Set()) });
  return {
    first: run[0]?.number ?? 0,
    details: detailRuns(ledgerId, run, detailsFrom).map(prepare),
    main: prepare(mainRun(ledgerId, run)),
  };
}

/** The call that brings these last batches of a tag's run, where what touches `bad` fields goes single. */
function callFor(ledgerId: string, tag: TagRun, batches: readonly TagBatch[], bad: Set<FieldId>): Call {
  const [first, last] = [batches[0], batches.at(-1)];
  assert(first && last, 'a run has a batch');
  const head = [ledgerId, last.number, first.previous, first.number].map(String);
  return composeCall({ ...tag, ledgerId, lastBatch: last.number }, head, sumRun(batches, bad));
}

async function deliverRun({ first, details, main }: PreparedRun, options: DeliveryOptions): Promise<Delivered> {
  const { link, ledgerId, detailsFrom } = options;
  const ended = await Promise.allSettled(details.map((tag) => deliverTag(tag, options)));
  const parts: TagDelivered[] = [];
  for (const [index, result] of ended.entries()) {
    if (result.status === 'rejected') throw result.reason;
    // Details that were dropped while the call was on its way are not missed.
    const day = details[index]?.tag.detail?.day;
    if (day === undefined || day >= detailsFrom()) parts.push(result.value);
  }
  const missing = parts.filter(isRewind).map(({ rewindTo }) => rewindTo);
  if (missing.length > 0) {
    // A tag's number may be an old one, if it was seldom touched: where the main tag is behind too, its number is enough.
    const kept = Number(await keptText(link, numbersKey, ledgerId));
    return { kind: 'rewind', to: kept < first - 1 ? kept : Math.min(...missing) };
  }
  const result = await deliverTag(main, options);
  if (isRewind(result)) return { kind: 'rewind', to: result.rewindTo };
  return { kind: 'delivered', rejected: [result, ...parts].flatMap(rejectedOf) };
}

function rejectedOf(part: TagDelivered): readonly string[] {
  return 'rejected' in part ? part.rejected : [];
}

function isRewind(part: TagDelivered): part is { readonly rewindTo: number } {
  return 'rewindTo' in part;
}

/**
 * Sends one tag's part until all of it is there. More than one call is needed where an earlier delivery, whose answer was
 * lost, had been cut elsewhere (then the rest is sent), and where fields are bad (then what touches them goes single).
 */
async function deliverTag({ tag, call: firstCall }: PreparedTag, options: DeliveryOptions): Promise<TagDelivered> {
  const { link, ledgerId, onWritten } = options;
  const [first, last] = [tag.batches[0], tag.batches.at(-1)];
  assert(first && last, 'a run has a batch');
  const bad = new Set<FieldId>();
  let rest = tag.batches;
  for (let call = firstCall; ; call = callFor(ledgerId, tag, rest, bad)) {
    const answer = parseAnswer(await link.script(deliverScript, call.keys, call.args), call);
    switch (answer.kind) {
      case 'applied':
      case 'duplicate':
        onWritten(tag, last.number);
        return { rejected: answer.kind === 'applied' ? answer.rejected : [] };
      case 'kept':
        if (answer.number < (rest[0] ?? first).previous) return { rewindTo: answer.number };
        rest = rest.filter(({ number }) => number > answer.number);
        break;
      case 'bad':
        for (const field of answer.fields) bad.add(field);
        break;
      default:
        throw new Error(`BUG: a delivery was answered with ${answer.kind}`);
    }
  }
}
