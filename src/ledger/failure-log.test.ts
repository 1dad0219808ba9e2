import { expect, test } from 'vitest';
import type { Clock, Log } from '../base/index.ts';
import { FailureLog } from './failure-log.ts';

let now = 0;
const clock: Clock = { now: () => now, monotonic: () => now };

function open(): { failures: FailureLog; lines: string[] } {
  const lines: string[] = [];
  const keep = (fields: object, text: string): void => void lines.push(`${text} ${JSON.stringify(fields)}`);
  const log: Log = { debug: keep, info: keep, warn: keep, error: keep };
  return { failures: new FailureLog({ clock, log, quietMs: 1_000 }), lines };
}

test('a reason is logged at once, and again only after the quiet time, with the number of failures in between', () => {
  const { failures, lines } = open();
  for (let tries = 0; tries < 21; tries++, now += 100) failures.noteFailure('full', {}, 'failed');
  expect(lines).toEqual([
    'failed {"error":"full"}',
    'failed {"error":"full","unlogged":9}',
    'failed {"error":"full","unlogged":9}',
  ]);
  failures.noteFailure('broken', {}, 'failed');
  expect(lines[3]).toBe('failed {"error":"broken"}');
});

test('alternating failures and successes make two lines in total', () => {
  const { failures, lines } = open();
  for (let turn = 0; turn < 10; turn++) {
    failures.noteFailure('full', {}, 'failed');
    failures.noteSuccess({}, 'works');
  }
  expect(lines).toEqual(['failed {"error":"full"}', 'works {}']);
});

test('different reasons are bounded too', () => {
  const { failures, lines } = open();
  for (let bytes = 0; bytes < 1_000; bytes++) failures.noteFailure(`${bytes} bytes`, {}, 'failed');
  expect(lines.length).toBe(8);
});
