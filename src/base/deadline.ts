/**
 * Waits for `work` for at most `ms`. Answers whether `work` ended in time, and rejects if `work` rejected in time. Late
 * work goes on; its result or its error is ignored.
 */
export async function endsWithin(ms: number, work: Promise<unknown>): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(resolve, ms, false);
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** The outcome of `work`, or a rejection with the error of `late` if it takes longer than `ms`. Late work goes on. */
export async function within<T>(ms: number, work: Promise<T>, late: () => Error): Promise<T> {
  if (!(await endsWithin(ms, work))) throw late();
  return work;
}

/**
 * The outcome of `work`, or a rejection as soon as `signal` aborts: with its reason, or with what `errorOf` makes of
 * that. The work itself goes on.
 */
export async function unlessAborted<T>(
  work: Promise<T>,
  signal: AbortSignal | undefined,
  errorOf = (reason: unknown) => reason,
): Promise<T> {
  if (signal === undefined) return work;
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const giveUp = () => reject(errorOf(signal.reason));
  if (signal.aborted) giveUp();
  signal.addEventListener('abort', giveUp);
  try {
    return await Promise.race([aborted, work]);
  } finally {
    signal.removeEventListener('abort', giveUp);
  }
}
