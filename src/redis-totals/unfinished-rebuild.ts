import { TonnageError } from '../base/index.ts';

/** The error of a delivery, or of a question for the position, while a rebuild is not finished. */
export function unfinishedRebuild(): TonnageError {
  return new TonnageError(
    'store_rebuilding',
    'a rebuild of this ledger in Redis was begun and has not ended; stop the server and run `tonnage ledger rebuild` once more',
  );
}
