import { z } from 'zod';
import { ignoredReasons, refusalReasons } from '../../ingest/index.ts';
import { optional } from '../schemas.ts';

const text = (description: string) => z.string().meta({ description });

/** A CloudEvent, for the API's description only. */
export const eventSchema = z
  .object({
    specversion: z.literal('1.0'),
    type: text('Event type of a meter, or `tonnage.void`.'),
    source: text('Origin of the event. `source`, `id` and the organisation of the credentials identify an event.'),
    id: text('Unique within the source.'),
    time: text('RFC 3339, with an offset. Default: the time of receipt.').optional(),
    datacontenttype: text('A JSON media type.').optional(),
    data: z
      .object({
        org: text('Organisation.').nullish(),
        email: text('E-mail address. Its domain is the organisation.').nullish(),
        arch: text('Architecture of the image.').nullish(),
        upstream: z.string().nullish(),
        repository: z.string().nullish(),
        tag: z.string().nullish(),
        outcome: z.string().nullish(),
        user: z.string().nullish(),
        client: z.string().nullish(),
        quantity: optional(
          z.int().min(1),
          'Default: 1. At most usage.quantityMax. A configured meter may use another name for it.',
        ),
      })
      .loose()
      .optional(),
  })
  .loose();

const count = z.int().min(0);

const result = {
  index: count.meta({ description: 'Position of the event in the request, from 0.' }),
  source: z.string().optional(),
  id: z.string().optional(),
  message: z.string().optional(),
};

const counts = {
  accepted: count,
  duplicate: count.meta({ description: 'Already counted; nothing was added.' }),
  voided: count.meta({ description: 'Voided before they arrived; nothing was added.' }),
  refused: count,
};

/** Response of `POST /api/v1/events`. */
export const eventsAnswerSchema = z.object({
  ...counts,
  results: z
    .array(
      z.object({
        ...result,
        status: z.enum(['accepted', 'duplicate', 'voided', 'refused']),
        code: optional(z.enum(refusalReasons), 'Why it was refused.'),
      }),
    )
    .meta({ description: 'Lists accepted events only if there are at most 100, or with `results=all`.' }),
});

/** Response to a notification. */
export const adapterAnswerSchema = z.object({
  ...counts,
  ignored: count.meta({ description: 'Not counted by design: layers, pushes, HEAD requests and the like.' }),
  results: z
    .array(
      z.object({
        ...result,
        status: z.enum(['accepted', 'duplicate', 'voided', 'refused', 'ignored']),
        code: optional(z.enum([...refusalReasons, ...ignoredReasons]), 'Why it was refused or ignored.'),
      }),
    )
    .meta({
      description:
        'Lists accepted events only if there are at most 100, or with `results=all`. Lists ignored ones only with `results=all`.',
    }),
});

/** A notification in the sender's own format, for the API's description only. */
export const notificationSchema = z
  .union([z.object({}).loose(), z.array(z.object({}).loose())])
  .meta({ description: 'In the format of the sending system; docs/guides/events.md describes the fields that count.' });
