import { z } from 'zod';
import { ignoredReasons, refusalReasons } from '../../ingest/index.ts';

const text = (description: string) => z.string().meta({ description });

/** A CloudEvent as the ingest route takes it, for the API's description; each is read by hand, not by this. */
export const eventSchema = z
  .object({
    specversion: z.literal('1.0'),
    type: text('Event type of a meter, or `tonnage.void`.'),
    source: text('Where the event comes from; with `id`, and the organisation of the credentials, its identity.'),
    id: text('What tells the event from others of its source.'),
    time: text('RFC 3339, with an offset. Default: when it is received.').optional(),
    datacontenttype: text('JSON.').optional(),
    data: z
      .object({
        org: text('Organisation.').nullish(),
        email: text('E-mail address, whose domain is the organisation.').nullish(),
        arch: text('Architecture of the image.').nullish(),
        upstream: z.string().nullish(),
        repository: z.string().nullish(),
        tag: z.string().nullish(),
        outcome: z.string().nullish(),
        user: z.string().nullish(),
        client: z.string().nullish(),
        quantity: z.int().min(1).optional().meta({
          description: 'Default: 1; at most usage.quantityMax. Meters of the configuration may name it otherwise.',
        }),
      })
      .loose()
      .optional(),
  })
  .loose();

const count = z.int().min(0);

const result = {
  index: count.meta({ description: 'Place of the event in the request, from 0.' }),
  source: z.string().optional(),
  id: z.string().optional(),
  message: z.string().optional(),
};

const counts = {
  accepted: count,
  duplicate: count.meta({ description: 'Had been counted before; nothing was added.' }),
  voided: count.meta({ description: 'Had been taken back before they came; nothing was added.' }),
  refused: count,
};

/** The answer of the ingest route. */
export const eventsAnswerSchema = z.object({
  ...counts,
  results: z
    .array(
      z.object({
        ...result,
        status: z.enum(['accepted', 'duplicate', 'voided', 'refused']),
        code: z.enum(refusalReasons).optional().meta({ description: 'Why it was refused.' }),
      }),
    )
    .meta({ description: 'Accepted events are listed while there are at most 100, or with `results=all`.' }),
});

/** The answer to what a system sends by itself. */
export const adapterAnswerSchema = z.object({
  ...counts,
  ignored: count.meta({ description: 'Nothing that is counted: layers, pushes, HEAD requests and the like.' }),
  results: z
    .array(
      z.object({
        ...result,
        status: z.enum(['accepted', 'duplicate', 'voided', 'refused', 'ignored']),
        code: z
          .enum([...refusalReasons, ...ignoredReasons])
          .optional()
          .meta({ description: 'Why it was refused or ignored.' }),
      }),
    )
    .meta({
      description:
        'Accepted events are listed while there are at most 100, or with `results=all`; ignored ones only with that.',
    }),
});

/** What a system sends by itself, in its own form; read by hand, not by this. */
export const notificationSchema = z
  .union([z.object({}).loose(), z.array(z.object({}).loose())])
  .meta({ description: 'As the system writes it; docs/guides/events.md says what of it is read.' });
