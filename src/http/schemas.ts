import { z } from 'zod';

/** What every error on a native route looks like, for the API's description. */
export const problemSchema = z
  .object({
    type: z.literal('about:blank'),
    title: z.string(),
    status: z.int(),
    detail: z.string().meta({ description: 'What was expected, and what came.' }),
    code: z.string().meta({ description: 'Stable; docs/reference/errors.md lists all.' }),
  })
  .meta({ id: 'Problem', description: 'Problem details (RFC 9457).' });
