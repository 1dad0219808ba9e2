import { expect, test } from 'vitest';
import { createProgress } from './wave-progress.ts';

/** What is said when something is updated at these times (milliseconds), a tenth further each time. */
function said(interactive: boolean, times: readonly number[]): readonly string[] {
  let now = 0;
  const texts: string[] = [];
  const progress = createProgress({
    clock: { now: () => now, monotonic: () => now },
    say: (text) => void texts.push(text),
    interactive,
  });
  for (const [index, time] of times.entries()) {
    now = time;
    progress.update((index + 1) * 100_000, 1_000_000);
  }
  progress.end();
  return texts;
}

test('a terminal has a bar that moves, not more often than it can be seen, and leaves in the end', () => {
  expect(said(true, [0, 10, 99, 100])).toEqual([
    '\r\u{1b}[K[##                  ]  10%  100,000 of 1,000,000 fields',
    '\r\u{1b}[K[########            ]  40%  400,000 of 1,000,000 fields',
    '\r\u{1b}[K',
  ]);
});

test('elsewhere there is a line every few seconds, and none for what is over at once', () => {
  expect(said(false, [0, 4_000])).toEqual([]);
  expect(said(false, [0, 5_000, 6_000, 10_000])).toEqual([
    '20%: 200,000 of 1,000,000 fields\n',
    '40%: 400,000 of 1,000,000 fields\n',
  ]);
});

test('what is more than was thought is all there is', () => {
  const texts: string[] = [];
  const clock = { now: () => 0, monotonic: () => 0 };
  createProgress({ clock, say: (text) => void texts.push(text), interactive: true }).update(30, 20);
  expect(texts[0]).toContain('100%  30 of 30 fields');
});
