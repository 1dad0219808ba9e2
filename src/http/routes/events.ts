import type { FastifySchemaCompiler } from 'fastify';
import { validatorCompiler } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { limits, type Log } from '../../base/index.ts';
import type { Principal } from '../../identity/index.ts';
import {
  answerText,
  contentModeOf,
  createEventReader,
  eventContentTypes,
  eventsOfBody,
  outcomesOf,
  Refusal,
  summaryOf,
  type EventOutcome,
  type EventsSummary,
  type HeaderLines,
  type Sender,
} from '../../ingest/index.ts';
import type { Ledger } from '../../ledger/index.ts';
import type { ApiOptions, App } from '../contract.ts';
import { createBodyReader, isWorthDraining } from '../events/body-reader.ts';
import { eventInstruments } from '../events/metrics.ts';
import { eventsAnswerSchema, eventSchema } from '../events/schemas.ts';
import { problemSchema } from '../schemas.ts';
import { sendText } from '../send-text.ts';

export type EventRouteOptions = Pick<ApiOptions, 'meters' | 'authorise' | 'metrics' | 'clock' | 'log'> & {
  readonly ledger: Pick<Ledger, 'ingest'>;
};

const parameters = z.strictObject({
  results: z.enum(['all']).optional().meta({ description: 'all: list accepted events however many there are.' }),
});

const schema = {
  summary: 'Send events',
  description:
    'CloudEvents 1.0 over HTTP: structured, batched or binary mode, also compressed with gzip. Answered once they are committed; a bad event refuses itself only. 422 when all were refused.',
  consumes: [...eventContentTypes],
  querystring: parameters,
  body: z.union([eventSchema, z.array(eventSchema).max(limits.eventBatchMax)]),
  response: {
    200: eventsAnswerSchema,
    400: problemSchema,
    401: problemSchema,
    403: problemSchema,
    413: problemSchema,
    415: problemSchema,
    422: eventsAnswerSchema,
    503: problemSchema,
  },
};

/** The body is described but not checked by its schema: each event is read on its own, and by hand. */
const queryOnly: FastifySchemaCompiler<z.ZodType> = (route) =>
  route.httpPart === 'body' ? (value: unknown) => ({ value }) : validatorCompiler(route);

/** `POST /api/v1/events`. */
export async function eventRoutes(app: App, options: EventRouteOptions): Promise<void> {
  const bodies = createBodyReader();
  const instruments = eventInstruments(options.metrics);
  await app.register(async (scope: App) => {
    // The body is read once it is known who sends it.
    scope.setValidatorCompiler(queryOnly);
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, _payload, done) => done(null, undefined));
    scope.addHook('onError', async (request, reply) => {
      if (!isWorthDraining(request.raw)) reply.header('connection', 'close');
    });
    scope.post('/api/v1/events', { schema }, async (request, reply) => {
      const sender = senderOf(await options.authorise(request, 'ingest'));
      const headers = headerLinesOf(request.raw.rawHeaders);
      const mode = contentModeOf(headers);
      const listAccepted = request.query.results === 'all';
      const answer = await bodies.read(request.raw, async (body) => {
        const events = eventsOfBody(mode, headers, body);
        const outcomes = await commit(events, sender, options);
        const summary = summaryOf(outcomes);
        instruments.count(summary);
        if (summary.refused > 0) logRefusals(options.log, request.id, summary);
        reply.code(events.length > 0 && summary.refused === events.length ? 422 : 200);
        return answerText({ events, outcomes, summary, all: listAccepted });
      });
      sendText(reply, 'application/json', answer);
      return reply;
    });
  });
}

/** The sender is told each; the log keeps how many there were. */
function logRefusals(log: Log, requestId: string, { refused, reasons }: EventsSummary): void {
  log.info({ requestId, reasons: Object.fromEntries(reasons) }, `${refused} events were refused`);
}

/** Reads and commits events part by part. When one part fails so does the whole; what is sent again is then known. */
async function commit(
  events: readonly unknown[],
  sender: Sender,
  { ledger, meters, clock }: EventRouteOptions,
): Promise<readonly EventOutcome[]> {
  const readEvent = createEventReader({ meters, sender, now: clock.now() });
  const outcomes: EventOutcome[] = [];
  for (let start = 0; start < events.length; start += limits.eventsAtOnceMax) {
    const part = events.slice(start, start + limits.eventsAtOnceMax);
    const read = part.map((event) => (event instanceof Refusal ? event : readEvent(event)));
    const valid = read.flatMap((event) => (event instanceof Refusal ? [] : [event]));
    // One after the other: that is what leaves others their turn, and keeps a void behind its event.
    const results = valid.length === 0 ? [] : await ledger.ingest(valid);
    outcomes.push(...outcomesOf(read, results));
  }
  return outcomes;
}

/** Header lines by name, as they came: joined ones could not be told from one that holds a comma. */
function headerLinesOf(rawHeaders: readonly string[]): HeaderLines {
  const lines = new Map<string, string[]>();
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]?.toLowerCase() ?? '';
    const value = rawHeaders[index + 1] ?? '';
    const others = lines.get(name);
    if (others === undefined) lines.set(name, [value]);
    else others.push(value);
  }
  return Object.fromEntries(lines);
}

function senderOf({ org, rights }: Principal): Sender {
  return { ...(org !== undefined && { tenant: org }), admin: rights.has('admin') };
}
