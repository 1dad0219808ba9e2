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
  type WaveQuestion,
} from '../../usage/index.ts';
import type { ApiOptions, App } from '../contract.ts';
import { sendText } from '../send-text.ts';
import { confinedTo } from './query-scope.ts';

type Options = Pick<ApiOptions, 'ledger' | 'authorise' | 'log'>;

/** A parameter as Wave reads it: the first value where it is repeated. Unknown parameters do not matter. */
const first = z
  .union([z.string(), z.array(z.string())])
  .transform((value) => (typeof value === 'string' ? value : value[0]))
  .optional();
const parameters = z.object({ date: first, org: first, arch: first });

const answerSchema = z.object({
  metric: z.string(),
  arch: z.string().optional().meta({ description: 'amd64 or arm64, where one was asked for.' }),
  count: z.number().meta({ type: 'integer', description: 'May exceed 2^53.' }),
  orgs: z
    .record(z.string(), z.number().meta({ type: 'integer' }))
    .optional()
    .meta({ description: 'Absent when there is none.' }),
});
const refusalSchema = z.object({ message: z.string() });
const response = {
  200: answerSchema,
  400: refusalSchema,
  401: z.null().meta({ description: 'No or wrong credentials.' }),
  403: refusalSchema,
  429: refusalSchema,
  500: refusalSchema,
  503: refusalSchema,
};

/**
 * Wave's query API, `/{v1alpha2,v1alpha3}/metrics/{metric}`, as its clients know it: its parameters, its JSON to the
 * member, its errors. Parameters are checked before credentials, as there.
 */
export function waveRoutes(app: App, options: Options): void {
  for (const version of ['v1alpha2', 'v1alpha3'] as const) {
    for (const [path, metric] of waveMetrics) {
      const schema = { summary: `Wave ${version}: ${metric}`, tags: ['wave'], querystring: parameters, response };
      app.get(`/${version}/metrics/${path}`, { schema }, async (request, reply) => {
        const question = parseWaveParameters(version, metric, request.query);
        if ('refusal' in question) refuse(reply, 400, question.refusal);
        else await answer(options, question, request, reply);
        return reply;
      });
    }
  }
}

async function answer(
  options: Options,
  question: WaveQuestion,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  try {
    const principal = await options.authorise(request, 'query');
    const org = confinedTo(principal, question.org) ?? question.org;
    const asked = { ...question, ...(org !== undefined && { org }) };
    const rows = await rowsByOrganisation(options, asked);
    sendText(reply, 'application/json', stringifyJson(waveAnswer(asked, rows)));
  } catch (error) {
    answerFailure(options, error, request, reply);
  }
}

/** Totals by organisation under the question's date, organisation and architecture, all of them. */
async function rowsByOrganisation({ ledger }: Options, question: WaveQuestion): Promise<readonly UsageRow[]> {
  const { metric, date, org, arch } = question;
  const day = date === undefined ? undefined : parseDay(date);
  // A date that no calendar has passes Wave's check, and nothing ever happened on it.
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

/** Errors as of Wave: 401 without a body and with its own challenge, the others as `{"message"}`. */
function answerFailure({ log }: Options, error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const known = error instanceof TonnageError ? error : undefined;
  if (known?.code === 'unauthorized') {
    void reply.code(401).header('www-authenticate', 'Basic realm=Wave Authentication').send();
    return;
  }
  if (known instanceof LoginLimited) reply.header('retry-after', known.retryAfterSeconds);
  // Wave knows no such case; a count that is known to be too low would be worse than an error.
  if (known?.code === 'ledger_gap') return refuse(reply, known.status, known.message);
  if (known && known.status < 500) return refuse(reply, known.status, known.message);
  // Whatever fails behind it is 500 with a number for the log there, and clients know no other.
  log.error({ err: error, requestId: request.id }, 'a Wave query failed');
  return refuse(reply, 500, `the usage could not be read - Error ID: ${request.id}`);
}

function refuse(reply: FastifyReply, status: number, message: string): void {
  reply.code(status);
  sendText(reply, 'application/json', JSON.stringify({ message }));
}
