import { limits } from '../base/index.ts';
import { isJsonObject } from '../oci/index.ts';
import type { EventResult, LedgerEvent } from '../usage/index.ts';
import { Refusal, type EventRefusalReason } from './refusal.ts';

/** What came of one event of a request. */
export type EventOutcome = EventResult | Refusal;

/** What came of all events of a request. */
export interface EventsSummary {
  readonly accepted: number;
  readonly duplicate: number;
  readonly voided: number;
  readonly refused: number;
  /** How many were refused, by reason. */
  readonly reasons: ReadonlyMap<EventRefusalReason, number>;
}

/** Joins what was read of events with what the ledger answered for those that were handed to it, in order. */
export function outcomesOf(
  read: readonly (LedgerEvent | Refusal)[],
  results: readonly EventResult[],
): readonly EventOutcome[] {
  let next = 0;
  return read.map((event) => {
    if (event instanceof Refusal) return event;
    const result = results[next++];
    if (result === undefined) throw new RangeError(`expected a result for each event, got ${results.length}`);
    return result.status === 'refused' ? new Refusal(result.reason, result.message) : result;
  });
}

/** Counts outcomes. */
export function summaryOf(outcomes: readonly EventOutcome[]): EventsSummary {
  const counts = { accepted: 0, duplicate: 0, voided: 0, refused: 0 };
  const reasons = new Map<EventRefusalReason, number>();
  for (const outcome of outcomes) {
    if ('status' in outcome) counts[outcome.status]++;
    else counts.refused++;
    if ('reason' in outcome) reasons.set(outcome.reason, (reasons.get(outcome.reason) ?? 0) + 1);
  }
  return { ...counts, reasons };
}

export interface AnswerOptions {
  /** The events as they came, in order. */
  readonly events: readonly unknown[];
  readonly outcomes: readonly EventOutcome[];
  readonly summary: EventsSummary;
  /** List accepted events however many there are. */
  readonly all: boolean;
}

/**
 * The answer as JSON text: the counts, and a line for each event that was not accepted; accepted ones are listed too
 * while there are few of them. Written by hand, since a batch has ten thousand events.
 */
export function answerText({ events, outcomes, summary, all }: AnswerOptions): string {
  const listsAccepted = all || summary.accepted <= limits.eventResultsListedMax;
  const lines: string[] = [];
  for (const [index, outcome] of outcomes.entries()) {
    const status = 'status' in outcome ? outcome.status : 'refused';
    if (status === 'accepted' && !listsAccepted) continue;
    const why = 'reason' in outcome ? `,"code":"${outcome.reason}","message":${JSON.stringify(outcome.message)}` : '';
    lines.push(`{"index":${index}${identityText(events[index])},"status":"${status}"${why}}`);
  }
  const { accepted, duplicate, voided, refused } = summary;
  const counts = `"accepted":${accepted},"duplicate":${duplicate},"voided":${voided},"refused":${refused}`;
  return `{${counts},"results":[${lines.join(',')}]}`;
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
