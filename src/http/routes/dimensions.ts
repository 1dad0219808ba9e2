import { z } from 'zod';
import { parseIncomplete, parseValuesQuery, valuesAnswer, valuesAsJson, type UsageAnswer } from '../../usage/index.ts';
import type { ApiOptions, App } from '../contract.ts';
import { optional, problemResponses, problemSchema } from '../schemas.ts';
import { incompleteMember, incompleteParameter } from './incomplete.ts';
import { confinedTo } from './query-scope.ts';
import { sendTagged } from './usage-tagged.ts';

const parameters = z.strictObject({
  from: optional(z.string(), 'Start date, YYYY-MM-DD. Default: the first day with data.'),
  to: optional(z.string(), 'End date, exclusive. Default: tomorrow.'),
  meter: optional(z.string(), 'Only values of this meter. Default: all meters.'),
  prefix: optional(z.string(), 'Only values that start with this prefix.'),
  incomplete: incompleteParameter,
  limit: optional(z.string(), 'Values per page, 1 to 10,000. Default: 1,000.'),
  cursor: optional(z.string(), '`next` of the previous page. Other parameters except limit must not change.'),
});

const answer = z.object({
  dimension: z.string(),
  values: z.array(z.string()).meta({ description: 'Distinct values, sorted by their UTF-8 bytes.' }),
  incomplete: incompleteMember,
  folded: optional(z.array(z.string()), 'The dimension, if some of the days do not have it in detail.'),
  next: optional(z.string(), 'Cursor of the next page; absent on the last one.'),
});

/** `GET /api/v1/dimensions/{name}`. */
export function dimensionRoutes(
  app: App,
  { ledger, meters, authorise }: Pick<ApiOptions, 'ledger' | 'meters' | 'authorise'>,
): void {
  const schema = {
    summary: 'List the values of one dimension',
    description: 'Values counted within a half-open range of days.',
    params: z.object({ name: z.string() }),
    querystring: parameters,
    response: {
      200: answer,
      304: z.null().meta({ description: 'The response that If-None-Match names is still current.' }),
      404: problemSchema,
      ...problemResponses,
    },
  };
  app.get('/api/v1/dimensions/:name', { schema }, async (request, reply) => {
    const principal = await authorise(request, 'query');
    const org = confinedTo(principal, undefined);
    const context = { kept: ledger.dimensions, meters, ...(org !== undefined && { org }) };
    const { incomplete, ...values } = request.query;
    const allowIncomplete = parseIncomplete(incomplete);
    const wanted = parseValuesQuery(request.params.name, values, context);
    const answers: UsageAnswer[] = [];
    // Sequentially, so that a request for all meters loads the store no more than one for a single meter.
    for (const query of wanted.queries) answers.push(await ledger.query(query, allowIncomplete));
    sendTagged(request, reply, 'application/json', valuesAsJson(valuesAnswer(wanted, answers)));
    return reply;
  });
}
