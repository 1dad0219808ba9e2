import { TonnageError } from '../base/index.ts';

/** Delivery must wait until the rebuild has finished. */
export function unfinishedRebuild(): TonnageError {
  return new TonnageError(
    'store_rebuilding',
    'a rebuild of this ledger in Redis has not finished; stop the server and run `tonnage ledger rebuild` again',
  );
}
