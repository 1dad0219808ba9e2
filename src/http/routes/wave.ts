import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { limits, TonnageError } from '../../base/index.ts';
import { LoginLimited } from '../../identity/index.ts';
import {
  parseDay,
  parseWaveParameters,
  stringifyJson,
  waveAnswer,
  waveMetrics,
  type UsageRow,
  type WaveQuery,
} from '../../usage/index.ts';
import type { ApiOptions, App } from '../contract.ts';
import { optional } from '../schemas.ts';
import { sendText } from '../send-text.ts';
import { confinedTo } from './query-scope.ts';

type Options = Pick<ApiOptions, 'ledger' | 'authorise' | 'log'>;

/** Like Wave, takes the first value of a repeated parameter and ignores unknown parameters. */
const first = z
  .union([z.string(), z.array(z.string())])
  .transform((value) => (typeof value === 'string' ? value : value[0]))
  .optional();
const parameters = z.object({ date: first, org: first, arch: first });

const answerSchema = z.object({
  metric: z.string(),
  arch: optional(z.string(), 'amd64 or arm64, if the query has one.'),
  count: z.number().meta({ type: 'integer', description: 'May exceed 2^53.' }),
  orgs: optional(
    z.record(z.string(), z.number().meta({ type: 'integer' })),
    'Counts by organisation; absent if there are none.',
  ),
});
const errorSchema = z.object({ message: z.string() });
const response = {
  200: answerSchema,
  400: errorSchema,
  401: z.null().meta({ description: 'No or wrong credentials.' }),
  403: errorSchema,
  429: errorSchema,
  500: errorSchema,
  503: errorSchema,
};

/**
 * Wave's query API, `/{v1alpha2,v1alpha3}/metrics/{metric}`, with the same parameters, JSON members and errors. Like
 * Wave, it checks the parameters before the credentials.
 */
export function waveRoutes(app: App, options: Options): void {
  for (const version of ['v1alpha2', 'v1alpha3'] as const) {
    for (const [path, metric] of waveMetrics) {
      const schema = { summary: `Wave ${version}: ${metric}`, tags: ['wave'], querystring: parameters, response };
      app.get(`/${version}/metrics/${path}`, { schema }, async (request, reply) => {
        const question = parseWaveParameters(version, metric, request.query);
        if ('refusal' in question) sendError(reply, 400, question.refusal);
        else await answer(options, question, request, reply);
        return reply;
      });
    }
  }
}

async function answer(
  options: Options,
  question: WaveQuery,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  try {
    const principal = await options.authorise(request, 'query');
    const org = confinedTo(principal, question.org) ?? question.org;
    const confined = { ...question, ...(org !== undefined && { org }) };
    const rows = await rowsByOrganisation(options, confined);
    sendText(reply, 'application/json', stringifyJson(waveAnswer(confined, rows)));
  } catch (error) {
    answerFailure(options, error, request, reply);
  }
}

/** Returns all totals by organisation that match the date, organisation and architecture. */
async function rowsByOrganisation({ ledger }: Options, question: WaveQuery): Promise<readonly UsageRow[]> {
  const { metric, date, org, arch } = question;
  const day = date === undefined ? undefined : parseDay(date);
  // Wave accepts dates that do not exist; they have no data.
  if (date !== undefined && day === undefined) return [];
  const rows: UsageRow[] = [];
  for (let offset: number | undefined = 0; offset !== undefined;) {
    const page = await ledger.query({
      meter: metric,
      ...(day === undefined ? { allTime: true } : { from: day, to: day + 1 }),
      window: 'total',
      by: ['org'],
      where: { ...(org !== undefined && { org }), ...(arch !== undefined && { arch }) },
      limit: limits.queryRowsMax,
      offset,
    });
    rows.push(...page.rows);
    offset = page.nextOffset;
  }
  return rows;
}

/** Sends errors like Wave: 401 without a body and with Wave's challenge, the others as `{"message"}`. */
function answerFailure({ log }: Options, error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const known = error instanceof TonnageError ? error : undefined;
  if (known?.code === 'unauthorized') {
    void reply.code(401).header('www-authenticate', 'Basic realm=Wave Authentication').send();
    return;
  }
  if (known instanceof LoginLimited) reply.header('retry-after', known.retryAfterSeconds);
  // Wave has no `ledger_gap`, but a count that is known to be too low would be worse than an error.
  if (known && (known.status < 500 || known.code === 'ledger_gap'))
    return sendError(reply, known.status, known.message);
  // Like Wave: 500 with an id for the log.
  log.error({ err: error, requestId: request.id }, 'Wave query failed');
  return sendError(reply, 500, `the usage could not be read - Error ID: ${request.id}`);
}

function sendError(reply: FastifyReply, status: number, message: string): void {
  reply.code(status);
  sendText(reply, 'application/json', JSON.stringify({ message }));
}
