import { z } from 'zod';
import { optional } from '../schemas.ts';

/** Query parameter of routes that read totals. */
export const incompleteParameter = optional(
  z.string(),
  'allow: return incomplete totals, marked with `incomplete`. By default, the response is then 503 `ledger_gap`.',
);

/** Member of the response of these routes. */
export const incompleteMember = optional(
  z.literal(true),
  'The totals are too low: the store lost data that the ledger cannot deliver again.',
);
