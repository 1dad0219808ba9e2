import { setTimeout as delay } from 'node:timers/promises';
import { TonnageError } from '../../base/index.ts';
import { serve } from '../serve.ts';

export type TestFunctions = {
  readonly echo: (input: unknown) => unknown;
  readonly later: (input: { readonly ms: number }) => Promise<number>;
  readonly fail: (input: { readonly own: boolean }) => never;
  readonly failLater: (input: undefined) => Promise<never>;
  readonly unclonable: (input: undefined) => unknown;
  readonly log: (input: { readonly fields: object }) => void;
  readonly exit: (input: undefined) => void;
  readonly bytes: (input: Uint8Array) => number;
};

await serve<TestFunctions>((data, log) => {
  if (data === 'not to be opened') throw new TonnageError('data_invalid', 'expected something to open');
  return {
    functions: {
      echo: (input) => input,
      async later({ ms }) {
        await delay(ms);
        return ms;
      },
      fail({ own }) {
        throw own ? new TonnageError('query_deadline', 'too late') : new TypeError('a mistake');
      },
      async failLater() {
        await delay(1);
        throw new TonnageError('query_too_large', 'too much');
      },
      unclonable: () => () => undefined,
      log: ({ fields }) => log.warn(fields, 'from the thread'),
      exit: () => process.exit(3),
      bytes: (input) => input.byteLength,
    },
    close() {
      if (data === 'not to be closed') throw new Error('something is still open');
    },
  };
});
