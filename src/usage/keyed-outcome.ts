/** The result of one event with an identity, as a number: a store returns thousands of them at once. */
export const outcome = { accepted: 0, duplicate: 1, voided: 2, notVoidable: 3, dayLimit: 4 } as const;

/** The cell of a void in packed events. A void has no cell. */
export const voidCell = 0xffff_ffff;
