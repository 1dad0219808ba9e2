import { z } from 'zod';

/** The parameter and the member of an answer about totals that the ledger knows to be incomplete. */
export const incompleteParameter = z.string().optional().meta({
  description:
    'allow: answer also while counts are known to be missing, with `incomplete`. Otherwise 503 `ledger_gap`.',
});

export const incompleteMember = z
  .literal(true)
  .optional()
  .meta({ description: 'Counts are missing: the store has lost some that the ledger cannot deliver again.' });
