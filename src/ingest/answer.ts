import { limits } from '../base/index.ts';
import { isJsonObject } from '../oci/index.ts';
import type { EventResult, LedgerEvent } from '../usage/index.ts';
import { Ignored, type IgnoredReason } from './adapters/index.ts';
import { Refusal, type EventRefusalReason } from './refusal.ts';

/** The outcome of one event of a request. */
export type EventOutcome = EventResult | Refusal | Ignored;

/** The outcomes of all events of a request. */
export interface EventsSummary {
  readonly accepted: number;
  readonly duplicate: number;
  readonly voided: number;
  readonly refused: number;
  /** Notifications that do not count. */
  readonly ignored: number;
  /** Refused events by reason. */
  readonly reasons: ReadonlyMap<EventRefusalReason, number>;
  /** Ignored notifications by reason. */
  readonly ignoredReasons: ReadonlyMap<IgnoredReason, number>;
}

/** Combines parsed events with the ledger's results for those that it received, in order. */
export function outcomesOf(
  read: readonly (LedgerEvent | Refusal | Ignored)[],
  results: readonly EventResult[],
): readonly EventOutcome[] {
  let next = 0;
  return read.map((event) => {
    if (event instanceof Refusal || event instanceof Ignored) return event;
    const result = results[next++];
    if (result === undefined) throw new RangeError(`expected a result for each event, got ${results.length}`);
    return result.status === 'refused' ? new Refusal(result.reason, result.message) : result;
  });
}

export function summaryOf(outcomes: readonly EventOutcome[]): EventsSummary {
  const counts = { accepted: 0, duplicate: 0, voided: 0, refused: 0, ignored: 0 };
  const reasons = new Map<EventRefusalReason, number>();
  const ignoredReasons = new Map<IgnoredReason, number>();
  for (const outcome of outcomes) {
    counts[statusOf(outcome)]++;
    if (outcome instanceof Ignored) countOne(ignoredReasons, outcome.ignored);
    else if ('reason' in outcome) countOne(reasons, outcome.reason);
  }
  return { ...counts, reasons, ignoredReasons };
}

function statusOf(outcome: EventOutcome): EventResult['status'] | 'ignored' {
  if (outcome instanceof Ignored) return 'ignored';
  return 'status' in outcome ? outcome.status : 'refused';
}

function countOne<K>(counts: Map<K, number>, key: K): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

interface AnswerOptions {
  /** The events as received, in order. */
  readonly events: readonly unknown[];
  readonly outcomes: readonly EventOutcome[];
  readonly summary: EventsSummary;
  /** List all accepted and ignored events. */
  readonly all: boolean;
  /** Include the number of ignored notifications. Default: false. */
  readonly includesIgnored?: boolean;
}

/**
 * The response as JSON: the counts, and the events that were not accepted. Lists accepted events if there are at most
 * `limits.eventResultsListedMax` or with `all`, and ignored ones only with `all`. Builds the text directly, which is
 * faster for batches of ten thousand events.
 */
export function answerText({ events, outcomes, summary, all, includesIgnored = false }: AnswerOptions): string {
  const listsAccepted = all || summary.accepted <= limits.eventResultsListedMax;
  const lines: string[] = [];
  for (const [index, outcome] of outcomes.entries()) {
    const status = statusOf(outcome);
    if (status === 'accepted' ? !listsAccepted : status === 'ignored' && !all) continue;
    lines.push(`{"index":${index}${identityText(events[index])},"status":"${status}"${reasonText(outcome)}}`);
  }
  const { accepted, duplicate, voided, refused, ignored } = summary;
  const counts = `"accepted":${accepted},"duplicate":${duplicate},"voided":${voided},"refused":${refused}`;
  return `{${counts}${includesIgnored ? `,"ignored":${ignored}` : ''},"results":[${lines.join(',')}]}`;
}

function reasonText(outcome: EventOutcome): string {
  if (outcome instanceof Ignored) return `,"code":"${outcome.ignored}"`;
  return 'reason' in outcome ? `,"code":"${outcome.reason}","message":${JSON.stringify(outcome.message)}` : '';
}

/** The event's `source` and `id`, unless they are not text or too long. */
function identityText(event: unknown): string {
  if (!isJsonObject(event)) return '';
  return (
    memberText('source', event['source'], limits.eventSourceLengthMax) +
    memberText('id', event['id'], limits.eventIdLengthMax)
  );
}

function memberText(name: string, value: unknown, lengthMax: number): string {
  return typeof value === 'string' && value.length <= lengthMax ? `,"${name}":${JSON.stringify(value)}` : '';
}
