import { setInterval } from 'node:timers';
import { SourceError } from './source-error.ts';

/** Time between two looks at how much has arrived, in milliseconds. */
const lookMs = 10;

interface ReplyLimit {
  readonly bytesMax: number;
  /** How many bytes have arrived on the connection so far. */
  readonly arrived: () => number;
}

/**
 * Runs `work` with a signal that also aborts once more than `bytesMax` bytes have arrived meanwhile, with a
 * `SourceError` (`invalid`). Without a limit, a few rows with huge values would fill the memory.
 */
export async function withReplyLimit<T>(
  { bytesMax, arrived }: ReplyLimit,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const tooMuch = new AbortController();
  const before = arrived();
  const timer = setInterval(() => {
    if (arrived() - before <= bytesMax) return;
    tooMuch.abort(new SourceError('invalid', `expected at most ${bytesMax} bytes from the database, got more`));
  }, lookMs);
  try {
    return await work(AbortSignal.any([signal, tooMuch.signal]));
  } finally {
    clearInterval(timer);
  }
}
