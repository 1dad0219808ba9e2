import { z } from 'zod';
import type { Principal } from '../../identity/index.ts';
import {
  asCounted,
  assertKept,
  dimensions,
  formatCursor,
  parseFormat,
  parseUsageQuery,
  usageAsCsv,
  usageAsJson,
  parseIncomplete,
  type UsageAnswer,
  type UsageParameters,
  type UsageQuery,
} from '../../usage/index.ts';
import type { ApiOptions, App } from '../contract.ts';
import { problemSchema } from '../schemas.ts';
import { acceptsCsvFirst } from './accepts-csv.ts';
import { confinedTo, sinceOwnFirstDay } from './query-scope.ts';
import { incompleteMember, incompleteParameter } from './incomplete.ts';
import { sendTagged } from './usage-tagged.ts';

const day = z.string().meta({ description: 'A day as YYYY-MM-DD in the zone of the ledger.', example: '2026-11-21' });
const otherForms = {
  org: 'Taken in lower case, unless it was counted just as it is written.',
  arch: 'Other names such as x86_64 are taken for it.',
} as const;
const filter = (name: string) =>
  z
    .string()
    .optional()
    .meta({
      description:
        `Only events with this ${name}; empty: only events without one.` +
        (name === 'org' || name === 'arch' ? ` ${otherForms[name]}` : ''),
    });

const parameters = z.strictObject({
  from: day.optional().meta({ description: 'First day. Default: the first one with data.' }),
  to: day.optional().meta({ description: 'First day that is no longer in. Default: tomorrow.' }),
  window: z.string().optional().meta({ description: 'total (default), day or month.' }),
  by: z
    .string()
    .optional()
    .meta({ description: 'Dimensions that rows are told apart by, and day or month, separated by commas.' }),
  top: z
    .string()
    .optional()
    .meta({ description: 'Only so many rows, the largest, of each window: 1 to 10,000; the others become one row.' }),
  distinct: z
    .string()
    .optional()
    .meta({ description: 'user or client: how many different ones each row has. Only where it is kept.' }),
  limit: z.string().optional().meta({ description: 'Rows of one page: 1 to 10,000, by default 1,000.' }),
  cursor: z
    .string()
    .optional()
    .meta({ description: '`next` of the page before, of the same question; limit may be another.' }),
  format: z.string().optional().meta({
    description:
      "json, csv or csv-raw, in place of the Accept header. In csv a field that a spreadsheet would take for a formula begins with '; csv-raw leaves that out.",
  }),
  incomplete: incompleteParameter,
  ...Object.fromEntries(dimensions.map((name) => [name, filter(name)])),
});

const row = z
  .object({
    from: day.optional(),
    value: z.number().meta({ type: 'integer', description: 'May exceed 2^53.' }),
    distinct: z.int().nonnegative().optional().meta({ description: 'How many different users or clients.' }),
    other: z.literal(true).optional().meta({ description: 'The row sums all beyond `top`.' }),
  })
  .catchall(z.string().nullable())
  .meta({ description: 'The dimensions of `by` (null where events lack one), and their sum.' });
const answer = z.object({
  meter: z.string(),
  from: day,
  to: day,
  window: z.enum(['total', 'day', 'month']),
  rows: z.array(row),
  total: z.number().meta({
    type: 'integer',
    description: 'Sum over all matching rows, those of other pages included. May exceed 2^53.',
  }),
  incomplete: incompleteMember,
  folded: z
    .array(z.string())
    .optional()
    .meta({ description: 'Dimensions of the question that were not told apart everywhere.' }),
  indexedAt: z
    .string()
    .optional()
    .meta({ description: 'When the names of an organisation were last looked up beside Wave.' }),
  next: z.string().optional().meta({ description: 'Cursor of the next page; absent on the last one.' }),
});

const page = {
  description: 'The rows of one page. The header Tonnage-Incomplete marks an incomplete answer.',
  content: {
    'application/json': { schema: answer },
    'text/csv': { schema: z.string().meta({ description: 'RFC 4180, with a header line.' }) },
  },
};

const meterSchema = z.object({
  name: z.string(),
  eventType: z.string().nullable().meta({ description: 'Type of its events; null: nobody sends any.' }),
  unit: z.string().meta({ description: 'UCUM: 1 for plain events, s for seconds, By for bytes.' }),
});

/** What a question may say, all as text. */
type Words = UsageParameters & { readonly [P in 'format' | 'incomplete']?: string | undefined };

type Ask = (query: UsageQuery) => Promise<UsageAnswer>;

/** `GET /api/v1/usage/{meter}` and `GET /api/v1/meters`. */
export function usageRoutes(
  app: App,
  { ledger, meters, authorise }: Pick<ApiOptions, 'ledger' | 'meters' | 'authorise'>,
): void {
  app.get(
    '/api/v1/usage/:meter',
    {
      schema: {
        summary: 'Totals of one meter',
        description:
          'Half-open range of days, cut and grouped as asked; JSON, or CSV by Accept, format=csv or format=csv-raw.',
        params: z.object({ meter: z.string() }),
        querystring: parameters,
        response: {
          200: page,
          304: z.null().meta({ description: 'The answer that If-None-Match names is still the one.' }),
          400: problemSchema,
          401: problemSchema,
          403: problemSchema,
          404: problemSchema,
          429: problemSchema,
          503: problemSchema,
        },
      },
    },
    async (request, reply) => {
      const principal = await authorise(request, 'query');
      const { format: named, incomplete, ...words }: Words = request.query;
      const format = parseFormat(named);
      const takesIncomplete = parseIncomplete(incomplete);
      const ask: Ask = (query) => ledger.query(query, takesIncomplete);
      const { asked, query } = await questionOf(request.params.meter, words, principal, { ledger, meters, ask });
      const found = await ask(query);
      const cursor = found.nextOffset === undefined ? undefined : formatCursor(asked, found.nextOffset);
      if (cursor !== undefined) reply.header('link', nextLink({ ...words, format, incomplete, cursor }));
      if (found.incomplete) reply.header('tonnage-incomplete', 'true');
      const written = format ?? (acceptsCsvFirst(request.headers.accept) ? 'csv' : 'json');
      const csv = { raw: written === 'csv-raw' };
      if (written === 'json') sendTagged(request, reply, 'application/json', usageAsJson(asked, found));
      else sendTagged(request, reply, 'text/csv; charset=utf-8', usageAsCsv(asked, found, csv));
      return reply;
    },
  );
  metersRoute(app, { meters, authorise });
}

/** `GET /api/v1/meters`. */
function metersRoute(app: App, { meters, authorise }: Pick<ApiOptions, 'meters' | 'authorise'>): void {
  app.get(
    '/api/v1/meters',
    {
      schema: {
        summary: 'What is metered',
        querystring: z.strictObject({}),
        response: {
          200: z.object({
            meters: z.array(meterSchema),
          }),
          400: problemSchema,
          401: problemSchema,
          403: problemSchema,
          429: problemSchema,
          503: problemSchema,
        },
      },
    },
    async (request) => {
      await authorise(request, 'query');
      const known = [...meters.byName.values()];
      return { meters: known.map(({ name, eventType = null, unit }) => ({ name, eventType, unit })) };
    },
  );
}

/**
 * What somebody may ask of what they ask, as it was asked, whose pages its cursors name, and as the ledger is asked. Throws
 * `bad_request` for what cannot be understood, `forbidden` for another's.
 */
async function questionOf(
  meter: string,
  words: UsageParameters,
  principal: Principal,
  { ledger, meters, ask }: Pick<ApiOptions, 'ledger' | 'meters'> & { readonly ask: Ask },
): Promise<{ readonly asked: UsageQuery; readonly query: UsageQuery }> {
  const own = confinedTo(principal, words.org);
  const asked = parseUsageQuery(meter, own === undefined ? words : { ...words, org: own }, meters);
  assertKept(asked, ledger.dimensions);
  const query = await asCounted(asked, ask);
  return { asked, query: own === undefined ? query : await sinceOwnFirstDay(ask, query, own) };
}

/** The next page as a relative link (RFC 8288), since CSV has no other place for a cursor. */
function nextLink(words: Words): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(words)) if (value !== undefined) parameters.set(name, value);
  return `<?${parameters.toString()}>; rel="next"`;
}
