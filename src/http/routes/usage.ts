import { z } from 'zod';
import type { Principal } from '../../identity/index.ts';
import {
  canonicalQuery,
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
import { optional, problemResponses, problemSchema } from '../schemas.ts';
import { acceptsCsvFirst } from './accepts-csv.ts';
import { confinedTo, sinceOwnFirstDay } from './query-scope.ts';
import { incompleteMember, incompleteParameter } from './incomplete.ts';
import { sendTagged } from './usage-tagged.ts';

const day = z.string().meta({ description: 'YYYY-MM-DD in the time zone of the ledger.', example: '2026-11-21' });
const normalised = {
  org: 'Matched in lower case, unless the ledger has it exactly as written.',
  arch: 'Aliases such as x86_64 are accepted.',
} as const;
const filter = (name: string) =>
  z
    .string()
    .optional()
    .meta({
      description:
        `Only events with this ${name}. Empty: only events without one.` +
        (name === 'org' || name === 'arch' ? ` ${normalised[name]}` : ''),
    });

const parameters = z.strictObject({
  from: optional(day, 'Start date. Default: the first day with data.'),
  to: optional(day, 'End date, exclusive. Default: tomorrow.'),
  window: optional(z.string(), 'total (default), day or month.'),
  by: optional(z.string(), 'Dimensions to group by, and day or month, separated by commas.'),
  top: optional(z.string(), 'Number of largest rows per window, 1 to 10,000. The other rows are summed in one row.'),
  distinct: optional(
    z.string(),
    'user or client: add the number of distinct values to each row, if the dimension is kept.',
  ),
  limit: optional(z.string(), 'Rows per page, 1 to 10,000. Default: 1,000.'),
  cursor: optional(z.string(), '`next` of the previous page. Other parameters except limit must not change.'),
  format: optional(
    z.string(),
    "json, csv or csv-raw; overrides the Accept header. csv puts ' before a field that a spreadsheet would evaluate as a formula; csv-raw does not.",
  ),
  incomplete: incompleteParameter,
  ...Object.fromEntries(dimensions.map((name) => [name, filter(name)])),
});

const row = z
  .object({
    from: day.optional(),
    value: z.number().meta({ type: 'integer', description: 'May exceed 2^53.' }),
    distinct: optional(z.int().nonnegative(), 'Number of distinct users or clients.'),
    other: optional(z.literal(true), 'The sum of all rows beyond `top`.'),
  })
  .catchall(z.string().nullable())
  .meta({ description: 'The dimensions of `by` (null if the events have none), and the sum.' });
const answer = z.object({
  meter: z.string(),
  from: day,
  to: day,
  window: z.enum(['total', 'day', 'month']),
  rows: z.array(row),
  total: z.number().meta({
    type: 'integer',
    description: 'Sum of all matching rows, including other pages. May exceed 2^53.',
  }),
  incomplete: incompleteMember,
  folded: optional(z.array(z.string()), 'Dimensions of the query that some of the days do not have in detail.'),
  indexedAt: optional(z.string(), 'Beside a running Wave: when its new names were last indexed.'),
  next: optional(z.string(), 'Cursor of the next page; absent on the last one.'),
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
  eventType: z.string().nullable().meta({ description: 'Type of its events; null if clients cannot send any.' }),
  unit: z.string().meta({ description: 'UCUM: 1 for plain events, s for seconds, By for bytes.' }),
});

/** The query parameters, unparsed. */
type Parameters = UsageParameters & { readonly [P in 'format' | 'incomplete']?: string | undefined };

type RunQuery = (query: UsageQuery) => Promise<UsageAnswer>;

/** `GET /api/v1/usage/{meter}` and `GET /api/v1/meters`. */
export function usageRoutes(
  app: App,
  { ledger, meters, authorise }: Pick<ApiOptions, 'ledger' | 'meters' | 'authorise'>,
): void {
  app.get(
    '/api/v1/usage/:meter',
    {
      schema: {
        summary: 'Query the totals of one meter',
        description:
          'Totals of a half-open range of days, by window and dimensions. JSON, or CSV by Accept, format=csv or format=csv-raw.',
        params: z.object({ meter: z.string() }),
        querystring: parameters,
        response: {
          200: page,
          304: z.null().meta({ description: 'The response that If-None-Match names is still current.' }),
          404: problemSchema,
          ...problemResponses,
        },
      },
    },
    async (request, reply) => {
      const principal = await authorise(request, 'query');
      const { format: formatName, incomplete, ...usage }: Parameters = request.query;
      const format = parseFormat(formatName);
      const allowIncomplete = parseIncomplete(incomplete);
      const run: RunQuery = (query) => ledger.query(query, allowIncomplete);
      const { stated, query } = await queriesOf(request.params.meter, usage, principal, { ledger, meters, run });
      const found = await run(query);
      const cursor = found.nextOffset === undefined ? undefined : formatCursor(stated, found.nextOffset);
      if (cursor !== undefined) reply.header('link', nextLink({ ...usage, format, incomplete, cursor }));
      if (found.incomplete) reply.header('tonnage-incomplete', 'true');
      const chosen = format ?? (acceptsCsvFirst(request.headers.accept) ? 'csv' : 'json');
      const csv = { raw: chosen === 'csv-raw' };
      if (chosen === 'json') sendTagged(request, reply, 'application/json', usageAsJson(stated, found));
      else sendTagged(request, reply, 'text/csv; charset=utf-8', usageAsCsv(stated, found, csv));
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
        summary: 'List the meters',
        querystring: z.strictObject({}),
        response: { 200: z.object({ meters: z.array(meterSchema) }), ...problemResponses },
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
 * Parses the parameters and confines them to the principal's organisation. Resolves with the query as stated, which
 * cursors refer to, and with the query for the ledger. Rejects with `bad_request` or `forbidden`.
 */
async function queriesOf(
  meter: string,
  parameters: UsageParameters,
  principal: Principal,
  { ledger, meters, run }: Pick<ApiOptions, 'ledger' | 'meters'> & { readonly run: RunQuery },
): Promise<{ readonly stated: UsageQuery; readonly query: UsageQuery }> {
  const own = confinedTo(principal, parameters.org);
  const stated = parseUsageQuery(meter, own === undefined ? parameters : { ...parameters, org: own }, meters);
  assertKept(stated, ledger.dimensions);
  const query = await canonicalQuery(stated, run);
  return { stated, query: own === undefined ? query : await sinceOwnFirstDay(run, query, own) };
}

/** The next page as a relative link (RFC 8288), because CSV has no other place for a cursor. */
function nextLink(parameters: Parameters): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined) search.set(name, value);
  return `<?${search.toString()}>; rel="next"`;
}
