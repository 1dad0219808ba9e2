import { z } from 'zod';

/** Query parameter of routes that read totals. */
export const incompleteParameter = z.string().optional().meta({
  description:
    'allow: return incomplete totals, marked with `incomplete`. By default, the response is then 503 `ledger_gap`.',
});

/** Member of the response of these routes. */
export const incompleteMember = z
  .literal(true)
  .optional()
  .meta({ description: 'The totals are too low: the store lost data that the ledger cannot deliver again.' });
