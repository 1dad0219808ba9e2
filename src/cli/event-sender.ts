import { setTimeout as sleep } from 'node:timers/promises';
import { limits, TonnageError, type Clock, type Random } from '../base/index.ts';
import { readEventsAnswer, type EventsAnswer } from './event-answer.ts';
import type { EventLine, LineRefusal } from './event-lines.ts';
import { readProblem, reasonOf } from './server-response.ts';

/** The results of sent events. */
export interface SendOutcome {
  readonly accepted: number;
  readonly duplicate: number;
  readonly voided: number;
  readonly refusals: readonly LineRefusal[];
}

interface EventSenderOptions {
  /** The server: scheme, host, port and path, without a slash at the end. */
  readonly base: string;
  /** Value of the header Authorization. */
  readonly authorization?: string;
  readonly clock: Clock;
  readonly random: Random;
  /** Receives the reason and the wait before a retry. */
  readonly onPause: (reason: string, waitMs: number) => void;
}

/**
 * Sends events in one request and resolves once they are committed. Retries transient errors for at most
 * `limits.eventSendRetryMsMax`; resending is harmless, because the server recognises duplicates. Then rejects with `unavailable`, and
 * does so at once for permanent errors such as wrong credentials.
 */
export type SendEvents = (lines: readonly EventLine[]) => Promise<SendOutcome>;

/** Creates a sender for one server. */
export function createEventSender(options: EventSenderOptions): SendEvents {
  const send: SendEvents = async (lines) => {
    if (lines.length === 0) return nothingSent;
    const answer = await postWithRetries(options, `[${lines.map(({ text }) => text).join(',')}]`);
    if (answer !== 'too large') return outcomeOf(answer, lines);
    const [only] = lines;
    if (lines.length === 1 && only !== undefined) {
      return { ...nothingSent, refusals: [{ number: only.number, reason: 'is larger than the server accepts' }] };
    }
    const middle = Math.ceil(lines.length / 2);
    return sum(await send(lines.slice(0, middle)), await send(lines.slice(middle)));
  };
  return send;
}

export const nothingSent: SendOutcome = { accepted: 0, duplicate: 0, voided: 0, refusals: [] };

/** Adds outcomes up. */
export function sum(one: SendOutcome, other: SendOutcome): SendOutcome {
  return {
    accepted: one.accepted + other.accepted,
    duplicate: one.duplicate + other.duplicate,
    voided: one.voided + other.voided,
    refusals: [...one.refusals, ...other.refusals],
  };
}

function outcomeOf({ accepted, duplicate, voided, refused }: EventsAnswer, lines: readonly EventLine[]): SendOutcome {
  const refusals = refused.flatMap(({ index, code, message }) => {
    const line = lines[index];
    return line === undefined ? [] : [{ number: line.number, reason: `${code}: ${message}` }];
  });
  return { accepted, duplicate, voided, refusals };
}

/** A transient error. */
interface TransientError {
  readonly reason: string;
  /** The wait that the server requests. */
  readonly waitMs?: number;
}

async function postWithRetries(options: EventSenderOptions, body: string): Promise<EventsAnswer | 'too large'> {
  const { clock, random, onPause, base } = options;
  const deadline = clock.monotonic() + limits.eventSendRetryMsMax;
  for (let tries = 0; ; tries++) {
    const answer = await post(options, body);
    if (answer === 'too large' || 'accepted' in answer) return answer;
    const [byte = 0] = random.bytes(1);
    // Randomise half of the wait, so that clients do not retry at the same time.
    const backoffMs = Math.min(limits.eventSendPauseMsMax, 500 * 2 ** tries) * (0.5 + byte / 512);
    const waitMs = Math.round(Math.max(backoffMs, answer.waitMs ?? 0));
    if (clock.monotonic() + waitMs > deadline) {
      throw new TonnageError('unavailable', `${base} does not accept events: ${answer.reason}`);
    }
    onPause(answer.reason, waitMs);
    await sleep(waitMs);
  }
}

/** Status codes of transient errors: the server is busy, or a proxy cannot reach it. */
const transientStatuses: ReadonlySet<number> = new Set([429, 502, 503, 504]);

async function post(
  { base, authorization, clock }: EventSenderOptions,
  body: string,
): Promise<EventsAnswer | TransientError | 'too large'> {
  let response: Response;
  let text: string;
  try {
    response = await fetch(`${base}/api/v1/events`, {
      method: 'POST',
      headers: {
        'content-type': 'application/cloudevents-batch+json',
        ...(authorization !== undefined && { authorization }),
      },
      body,
      // Never send credentials to another server.
      redirect: 'error',
      signal: AbortSignal.timeout(limits.commandAnswerMsMax),
    });
    text = await response.text();
  } catch (cause) {
    return { reason: `it does not respond: ${reasonOf(cause)}` };
  }
  if (response.status === 200 || response.status === 422) return readEventsAnswer(text);
  if (response.status === 413) return 'too large';
  const reason = `it responded with ${response.status}: ${readProblem(text, response.statusText)}`;
  if (!transientStatuses.has(response.status))
    throw new TonnageError('unavailable', `${base} does not accept events: ${reason}`);
  const waitMs = retryAfterMs(response.headers.get('retry-after'), clock);
  return { reason, ...(waitMs !== undefined && { waitMs }) };
}

/** `Retry-After` (RFC 9110 section 10.2.3), seconds or a date, as milliseconds from now. */
function retryAfterMs(value: string | null, clock: Clock): number | undefined {
  if (value === null) return undefined;
  const ms = /^\d+$/.test(value) ? Number(value) * 1_000 : Date.parse(value) - clock.now();
  return Number.isFinite(ms) && ms > 0 ? ms : undefined;
}
