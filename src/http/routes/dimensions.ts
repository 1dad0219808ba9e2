import { z } from 'zod';
import { parseIncomplete, parseValuesQuery, valuesAnswer, valuesAsJson, type UsageAnswer } from '../../usage/index.ts';
import type { ApiOptions, App } from '../contract.ts';
import { problemSchema } from '../schemas.ts';
import { incompleteMember, incompleteParameter } from './incomplete.ts';
import { confinedTo } from './query-scope.ts';
import { sendTagged } from './usage-tagged.ts';

const parameters = z.strictObject({
  from: z.string().optional().meta({ description: 'First day, as YYYY-MM-DD. Default: the first one with data.' }),
  to: z.string().optional().meta({ description: 'First day that is no longer in. Default: tomorrow.' }),
  meter: z.string().optional().meta({ description: 'Only what this meter has counted. Default: all.' }),
  prefix: z.string().optional().meta({ description: 'Only values that begin with this.' }),
  incomplete: incompleteParameter,
  limit: z.string().optional().meta({ description: 'Values of one page: 1 to 10,000, by default 1,000.' }),
  cursor: z
    .string()
    .optional()
    .meta({ description: '`next` of the page before, of the same question; limit may be another.' }),
});

const answer = z.object({
  dimension: z.string(),
  values: z.array(z.string()).meta({ description: 'In the order of their bytes in UTF-8, each once.' }),
  incomplete: incompleteMember,
  folded: z
    .array(z.string())
    .optional()
    .meta({ description: 'The dimension, where it was not told apart on all of the days.' }),
  next: z.string().optional().meta({ description: 'Cursor of the next page; absent on the last one.' }),
});

/** `GET /api/v1/dimensions/{name}`. */
export function dimensionRoutes(
  app: App,
  { ledger, meters, authorise }: Pick<ApiOptions, 'ledger' | 'meters' | 'authorise'>,
): void {
  const schema = {
    summary: 'Values of one dimension',
    description: 'Those that were counted on a half-open range of days.',
    params: z.object({ name: z.string() }),
    querystring: parameters,
    response: {
      200: answer,
      304: z.null().meta({ description: 'The answer that If-None-Match names is still the one.' }),
      400: problemSchema,
      401: problemSchema,
      403: problemSchema,
      404: problemSchema,
      429: problemSchema,
      503: problemSchema,
    },
  };
  app.get('/api/v1/dimensions/:name', { schema }, async (request, reply) => {
    const principal = await authorise(request, 'query');
    const org = confinedTo(principal, undefined);
    const context = { kept: ledger.dimensions, meters, ...(org !== undefined && { org }) };
    const { incomplete, ...words } = request.query;
    const takesIncomplete = parseIncomplete(incomplete);
    const question = parseValuesQuery(request.params.name, words, context);
    const answers: UsageAnswer[] = [];
    // One after the other, so that a question about all meters is no more to the store than one about each.
    for (const query of question.queries) answers.push(await ledger.query(query, takesIncomplete));
    sendTagged(request, reply, 'application/json', valuesAsJson(valuesAnswer(question, answers)));
    return reply;
  });
}
