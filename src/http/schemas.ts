import { z } from 'zod';

/** A parameter or member that may be absent. The API's description shows `description`. */
export const optional = <S extends z.ZodType>(schema: S, description: string) =>
  schema.optional().meta({ description });

/** The error body of native routes, for the API's description. */
export const problemSchema = z
  .object({
    type: z.literal('about:blank'),
    title: z.string(),
    status: z.int(),
    detail: z.string().meta({ description: 'The expected value or state, and what came instead.' }),
    code: z.string().meta({ description: 'Stable error code; docs/reference/errors.md lists all codes.' }),
  })
  .meta({ id: 'Problem', description: 'Problem details (RFC 9457).' });

/** Error responses of every route that needs credentials. */
export const problemResponses = {
  400: problemSchema,
  401: problemSchema,
  403: problemSchema,
  429: problemSchema,
  503: problemSchema,
};
