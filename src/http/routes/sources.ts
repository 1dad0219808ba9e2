import { z } from 'zod';
import { sourceErrorClasses, type SourceStatus } from '../../collector/index.ts';
import type { ApiOptions, App } from '../contract.ts';
import { optional, problemResponses } from '../schemas.ts';

const source = z.object({
  name: z.string(),
  driver: z.string().optional(),
  page: optional(z.string(), 'Path of the page that serves its families. Absent: /metrics.'),
  up: z
    .boolean()
    .nullable()
    .meta({ description: 'Whether the last completed read succeeded. null: none has completed yet.' }),
  ageSeconds: optional(z.number(), 'Age of the last successful read. Absent: there is none.'),
  lastSuccess: optional(z.iso.datetime(), 'When the last successful read ended. Absent: there is none.'),
  dataTime: optional(z.iso.datetime(), 'When the source created the data of that read. Absent: unknown.'),
  durationSeconds: optional(z.number(), 'Duration of the last completed read.'),
  series: z.int().meta({ description: 'Series that it exposes now. 0 without a snapshot.' }),
  lastError: z
    .object({ class: z.enum(sourceErrorClasses), message: z.string(), time: z.iso.datetime() })
    .optional()
    .meta({ description: 'The last failed read, also after a success. Absent: none has failed.' }),
});

/** `GET /api/v1/sources`: the status of each source. Messages may name hosts and files, but contain no secret. */
export function sourceRoutes(app: App, { sources, authorise }: Pick<ApiOptions, 'sources' | 'authorise'>): void {
  const schema = {
    summary: 'List the sources',
    description: 'Systems that the server reads for /metrics and other pages, with the state of their reads.',
    querystring: z.strictObject({}),
    response: { 200: z.object({ sources: z.array(source) }), ...problemResponses },
  };
  app.get('/api/v1/sources', { schema }, async (request, reply) => {
    await authorise(request, 'query');
    reply.header('cache-control', 'no-store');
    return { sources: sources().map(describe) };
  });
}

function describe(status: SourceStatus): z.infer<typeof source> {
  const { name, driver, page, up = null, ageSeconds, durationSeconds, series } = status;
  const { lastSuccess, dataTimestamp, lastError } = status;
  return {
    name,
    driver,
    page,
    up,
    ageSeconds: ageSeconds === undefined ? undefined : toMicroseconds(ageSeconds),
    lastSuccess: lastSuccess === undefined ? undefined : timeOf(lastSuccess),
    dataTime: dataTimestamp === undefined ? undefined : timeOf(dataTimestamp),
    durationSeconds: durationSeconds === undefined ? undefined : toMicroseconds(durationSeconds),
    series,
    lastError: lastError && { class: lastError.class, message: lastError.message, time: timeOf(lastError.time) },
  };
}

/** Unix seconds as RFC 3339. */
function timeOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}

/** Seconds, rounded to microseconds. */
function toMicroseconds(seconds: number): number {
  return Math.round(seconds * 1e6) / 1e6;
}
