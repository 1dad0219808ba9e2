import { expect, test } from 'vitest';
import type { EventResult } from '../usage/index.ts';
import { answerText, outcomesOf, Refusal, summaryOf } from './index.ts';
import { build, readEvent } from './testing/read-event.ts';

function answerOf(events: readonly unknown[], results: readonly EventResult[], all = false) {
  const outcomes = outcomesOf(
    events.map((event) => (event instanceof Refusal ? event : readEvent(event))),
    results,
  );
  const summary = summaryOf(outcomes);
  const answer: unknown = JSON.parse(answerText({ events, outcomes, summary, all }));
  return { summary, answer };
}

test('inserts the results of the ledger at the places of its events', () => {
  const events = [build({ id: 'a' }), 7, build({ id: 'b' }), build({ id: 'c' }), build({ id: 'd' })];
  const { answer, summary } = answerOf(events, [
    { status: 'accepted' },
    { status: 'duplicate' },
    { status: 'refused', reason: 'too_old', message: 'time: too old' },
    { status: 'voided' },
  ]);
  expect(answer).toEqual({
    accepted: 1,
    duplicate: 1,
    voided: 1,
    refused: 2,
    results: [
      { index: 0, source: '/ci', id: 'a', status: 'accepted' },
      {
        index: 1,
        status: 'refused',
        code: 'invalid_event',
        message: 'expected an event (an object), got 7',
      },
      { index: 2, source: '/ci', id: 'b', status: 'duplicate' },
      { index: 3, source: '/ci', id: 'c', status: 'refused', code: 'too_old', message: 'time: too old' },
      { index: 4, source: '/ci', id: 'd', status: 'voided' },
    ],
  });
  expect([...summary.reasons]).toEqual([
    ['invalid_event', 1],
    ['too_old', 1],
  ]);
});

const accepted = (count: number) => Array.from({ length: count }, () => ({ status: 'accepted' }) as const);

test.each([
  [100, false, 100],
  [101, false, 0],
  [101, true, 101],
])('of %d accepted events, with all: %s, lists %d', (count, all, listed) => {
  const events = accepted(count).map((_, index) => build({ id: String(index) }));
  const { answer } = answerOf(events, accepted(count), all);
  expect(answer).toMatchObject({ accepted: count, results: { length: listed } });
});

test('omits a source or id that is not text or is too long', () => {
  const { answer } = answerOf([build({ source: 7, id: 'x'.repeat(10_000) })], []);
  expect(answer).toMatchObject({ results: [{ index: 0, status: 'refused' }] });
  expect(JSON.stringify(answer).length).toBeLessThan(400);
});

test('too few results throw', () => {
  expect(() => answerOf([build()], [])).toThrow('expected a result for each event, got 0');
});
