/** What became of one event with an identity, as a number: how a store answers for thousands of them at once. */
export const outcome = { accepted: 0, duplicate: 1, voided: 2, notVoidable: 3, dayLimit: 4 } as const;

/** Stands for the cell of a void among packed events, which has none. */
export const voidCell = 0xffff_ffff;
