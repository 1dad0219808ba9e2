import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { limits, type Log } from '../../base/index.ts';
import {
  adapterNames,
  answerText,
  contentModeOf,
  createAdapter,
  createEventReader,
  createMappedReader,
  eventContentTypes,
  eventsOfBody,
  Refusal,
  summaryOf,
  type Adapter,
  type ContentMode,
  type EventOutcome,
  type EventReader,
  type EventsSummary,
  type HeaderLines,
  type Sender,
} from '../../ingest/index.ts';
import type { Ledger } from '../../ledger/index.ts';
import type { ApiOptions, App } from '../contract.ts';
import { createBodyReader, isWorthDraining } from '../events/body-reader.ts';
import { commitEvents } from '../events/commit.ts';
import { eventInstruments } from '../events/metrics.ts';
import { headerLinesOf, queryOnly, senderOf, shareOf } from '../events/requests.ts';
import { adapterAnswerSchema, eventsAnswerSchema, eventSchema, notificationSchema } from '../events/schemas.ts';
import { optional, problemResponses, problemSchema } from '../schemas.ts';
import { sendText } from '../send-text.ts';

export type EventRouteOptions = Pick<
  ApiOptions,
  'meters' | 'authorise' | 'metrics' | 'clock' | 'log' | 'adapterSettings'
> & { readonly ledger: Pick<Ledger, 'ingest'> };

const parameters = z.strictObject({
  results: optional(z.enum(['all']), 'all: list all accepted (and ignored) events, however many there are.'),
});

const problems = { ...problemResponses, 408: problemSchema, 413: problemSchema, 415: problemSchema };

const schema = {
  summary: 'Send events',
  description:
    'CloudEvents 1.0 over HTTP in structured, batched or binary mode, optionally gzip-compressed. The response is sent after the commit. An invalid event is refused without affecting the others; if all are refused, the status is 422.',
  consumes: [...eventContentTypes],
  querystring: parameters,
  body: z.union([eventSchema, z.array(eventSchema).max(limits.eventBatchMax)]),
  response: { 200: eventsAnswerSchema, 422: eventsAnswerSchema, ...problems },
};

const adapterSchema = ({ name, contentTypes }: Adapter) => ({
  summary: `Send notifications of ${{ distribution: 'Distribution', harbor: 'Harbor', zot: 'zot' }[name]}`,
  description:
    'The response is sent after the commit. The status is 200 even if all events are refused or ignored, so that the system does not retry for ever.',
  consumes: [...contentTypes],
  querystring: parameters,
  body: notificationSchema,
  response: { 200: adapterAnswerSchema, ...problems },
});

/** `POST /api/v1/events`, and one route below it per notification adapter. */
export async function eventRoutes(app: App, options: EventRouteOptions): Promise<void> {
  const handle = createHandler(options);
  const adapters = adapterNames.map((name) => createAdapter(name, options.adapterSettings?.[name]));
  await app.register(async (scope: App) => {
    // The handler reads the body itself, after it has authenticated the sender.
    scope.setValidatorCompiler(queryOnly);
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, _payload, done) => done(null, undefined));
    scope.addHook('onError', async (request, reply) => {
      if (!isWorthDraining(request.raw)) reply.header('connection', 'close');
    });
    scope.post('/api/v1/events', { schema }, async (request, reply) => {
      const { allRefused, text } = await handle(request, request.query.results);
      sendText(reply.code(allRefused ? 422 : 200), 'application/json', text);
      return reply;
    });
    for (const adapter of adapters) {
      scope.post(`/api/v1/events/${adapter.name}`, { schema: adapterSchema(adapter) }, async (request, reply) => {
        const { text } = await handle(request, request.query.results, adapter);
        sendText(reply, 'application/json', text);
        return reply;
      });
    }
  });
}

interface Answer {
  readonly text: string;
  /** Whether there was at least one event, and all were refused. */
  readonly allRefused: boolean;
}

type Handler = (request: FastifyRequest, results: 'all' | undefined, adapter?: Adapter) => Promise<Answer>;

/** Creates the function that commits a request's events, parsed by `adapter` if given, and formats the response. */
function createHandler({ metrics, authorise, log, ledger, meters, clock }: EventRouteOptions): Handler {
  const bodies = createBodyReader(clock);
  const instruments = eventInstruments(metrics);
  return async (request, results, adapter) => {
    const principal = await authorise(request, 'ingest');
    const sender = senderOf(principal);
    const headers = headerLinesOf(request.raw.rawHeaders);
    const mode = adapter === undefined ? contentModeOf(headers) : adapter.modeOf(headers);
    return bodies.read(request.raw, shareOf(principal), async (body) => {
      const readEvent = createEventReader({ meters, sender, now: clock.now() });
      const parts = { mode, headers, body, sender, readEvent };
      const { events, outcomes } = await (adapter === undefined
        ? commitOwn(parts, ledger)
        : commitMapped(parts, ledger, adapter));
      const summary = summaryOf(outcomes);
      instruments.count(summary, adapter?.name);
      if (summary.refused > 0) logRefusals(log, request.id, summary);
      return {
        text: answerText({ events, outcomes, summary, all: results === 'all', includesIgnored: adapter !== undefined }),
        allRefused: events.length > 0 && summary.refused === events.length,
      };
    });
  };
}

interface RequestParts {
  readonly mode: ContentMode;
  readonly headers: HeaderLines;
  readonly body: Uint8Array;
  readonly sender: Sender;
  readonly readEvent: EventReader;
}

interface Committed {
  readonly events: readonly unknown[];
  readonly outcomes: readonly EventOutcome[];
}

async function commitOwn(
  { mode, headers, body, readEvent }: RequestParts,
  ledger: EventRouteOptions['ledger'],
): Promise<Committed> {
  const events = eventsOfBody(mode, headers, body);
  const read = (event: unknown) => (event instanceof Refusal ? event : readEvent(event));
  return { events, outcomes: await commitEvents(events, read, ledger) };
}

async function commitMapped(
  { mode, headers, body, sender: { tenant }, readEvent }: RequestParts,
  ledger: EventRouteOptions['ledger'],
  adapter: Adapter,
): Promise<Committed> {
  const events = adapter.map({ mode, headers, body, ...(tenant !== undefined && { tenant }) });
  return { events, outcomes: await commitEvents(events, createMappedReader(adapter, readEvent), ledger) };
}

/** The response names each refused event, so the log has only their numbers. */
function logRefusals(log: Log, requestId: string, { refused, reasons }: EventsSummary): void {
  log.info({ requestId, reasons: Object.fromEntries(reasons) }, `${refused} events were refused`);
}
