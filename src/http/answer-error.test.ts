import { fastify } from 'fastify';
import { expect, test } from 'vitest';
import { limits, TonnageError } from '../base/index.ts';
import { createAnswerError } from './answer-error.ts';

/** The log of requests that throw these errors, `pauseMs` apart. */
async function loggedFor(errors: readonly Error[], pauseMs: number): Promise<readonly [string, object][]> {
  const logged: [string, object][] = [];
  const line = (level: string) => (fields: object) => void logged.push([level, fields]);
  const log = { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') };
  let time = 0;
  const app = fastify({ genReqId: () => '4711' });
  app.setErrorHandler(createAnswerError({ log, clock: { now: () => 0, monotonic: () => time } }));
  const left = [...errors];
  app.get('/', () => Promise.reject(left.shift() ?? new Error('one too many')));
  for (let asked = 0; asked < errors.length; asked++) {
    await app.inject('/');
    time += pauseMs;
  }
  await app.close();
  return logged;
}

const away = new TonnageError('redis_unavailable', 'redis at h:1 is not reached');
const line = ['warn', { error: away.message, requestId: '4711', code: away.code }];

test('an outage is logged once, however many requests fail', async () => {
  expect(await loggedFor([away, away, away], 1_000)).toEqual([line]);
});

test('an outage that lasts is logged again later, and another one at once', async () => {
  const full = new TonnageError('ledger_full', 'no room');
  expect(await loggedFor([away, full, away], limits.sameFailureQuietMs / 2)).toEqual([
    line,
    ['warn', { error: full.message, requestId: '4711', code: full.code }],
    line,
  ]);
});

test.each([new TypeError('x is not a function'), new TonnageError('sqlite_failed', 'no such table')])(
  'an unexpected error is logged in full each time: %s',
  async (error) => {
    const whole = ['error', expect.objectContaining({ err: error })];
    expect(await loggedFor([error, error], 0)).toEqual([whole, whole]);
  },
);

test('client errors, and outages that the authenticator logs, are not logged', async () => {
  const errors = [new TonnageError('identity_unavailable', 'nobody says'), new TonnageError('forbidden', 'no')];
  expect(await loggedFor(errors, 0)).toEqual([]);
});
