import type { BatchId } from '../store/index.ts';

/** No batch: the position of a ledger that has delivered nothing to a tag. */
export const noBatch: BatchId = { number: 0, token: '' };

/** A batch as a tag keeps it: `<number>:<token>`, or `<number>` alone for a batch without a token. */
export function batchText({ number, token }: BatchId): string {
  return token === '' ? String(number) : `${number}:${token}`;
}

/** The reverse of `batchText`. Returns `noBatch` for an empty text, and undefined for the mark of a rebuild. */
export function parseBatchText(text: string): BatchId | undefined {
  if (text === '') return noBatch;
  const match = /^(\d+)(?::(.+))?$/.exec(text);
  if (!match) return undefined;
  const [, number, token = ''] = match;
  return { number: Number(number), token };
}

export function isSameBatch(left: BatchId, right: BatchId): boolean {
  return left.number === right.number && left.token === right.token;
}
