import { limits } from '../base/index.ts';
import { isJsonObject } from '../oci/index.ts';
import type { EventResult, LedgerEvent } from '../usage/index.ts';
import { Ignored, type IgnoredReason } from './adapters/index.ts';
import { Refusal, type EventRefusalReason } from './refusal.ts';

/** What came of one event of a request. */
export type EventOutcome = EventResult | Refusal | Ignored;

/** What came of all events of a request. */
export interface EventsSummary {
  readonly accepted: number;
  readonly duplicate: number;
  readonly voided: number;
  readonly refused: number;
  /** Things that a system told of which none is to be counted. */
  readonly ignored: number;
  /** How many were refused, by reason. */
  readonly reasons: ReadonlyMap<EventRefusalReason, number>;
  /** How many were ignored, by reason. */
  readonly ignoredReasons: ReadonlyMap<IgnoredReason, number>;
}

/** Joins what was read of events with what the ledger answered for those that were handed to it, in order. */
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

/** Counts outcomes. */
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

export interface AnswerOptions {
  /** The events as they came, in order. */
  readonly events: readonly unknown[];
  readonly outcomes: readonly EventOutcome[];
  readonly summary: EventsSummary;
  /** List accepted and ignored events however many there are. */
  readonly all: boolean;
  /** Say how many were ignored: where that can be. */
  readonly saysIgnored?: boolean;
}

/**
 * The answer as JSON text: the counts, and a line for each event that was not accepted; accepted ones are listed too
 * while there are few of them, ignored ones only on demand. Written by hand, since a batch has ten thousand events.
 */
export function answerText({ events, outcomes, summary, all, saysIgnored = false }: AnswerOptions): string {
  const listsAccepted = all || summary.accepted <= limits.eventResultsListedMax;
  const lines: string[] = [];
  for (const [index, outcome] of outcomes.entries()) {
    const status = statusOf(outcome);
    if (status === 'accepted' ? !listsAccepted : status === 'ignored' && !all) continue;
    lines.push(`{"index":${index}${identityText(events[index])},"status":"${status}"${whyText(outcome)}}`);
  }
  const { accepted, duplicate, voided, refused, ignored } = summary;
  const counts = `"accepted":${accepted},"duplicate":${duplicate},"voided":${voided},"refused":${refused}`;
  return `{${counts}${saysIgnored ? `,"ignored":${ignored}` : ''},"results":[${lines.join(',')}]}`;
}

function whyText(outcome: EventOutcome): string {
  if (outcome instanceof Ignored) return `,"code":"${outcome.ignored}"`;
  return 'reason' in outcome ? `,"code":"${outcome.reason}","message":${JSON.stringify(outcome.message)}` : '';
}

/** `source` and `id` as the sender wrote them, where they are texts of a length that can be said back. */
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
