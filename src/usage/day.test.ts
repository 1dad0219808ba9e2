import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { createCalendar, formatDay, monthOf, nextMonthOf, parseDay } from './index.ts';

const day = (text: string): number => parseDay(text) ?? Number.NaN;

describe('parseDay', () => {
  test.each(['1970-01-01', '2024-02-29', '2026-11-21', '0001-01-01', '9999-12-31'])('reads %s', (text) => {
    expect(formatDay(day(text))).toBe(text);
  });
  test.each([
    '',
    '2026-2-3',
    '2026-02-30',
    '2023-02-29',
    '2024-99-99',
    '26-11-21',
    '2026-11-21T00:00',
    '0000-01-01',
    ' 2026-11-21',
  ])('refuses %j', (text) => expect(parseDay(text)).toBeUndefined());
});

test('months begin on their first day', () => {
  expect(formatDay(monthOf(day('2024-02-29')))).toBe('2024-02-01');
  expect(formatDay(nextMonthOf(day('2024-12-31')))).toBe('2025-01-01');
  expect(formatDay(monthOf(day('1969-12-31')))).toBe('1969-12-01');
});

describe('calendar', () => {
  test.each([
    ['UTC', '2026-11-21T23:59:59.999Z', '2026-11-21'],
    ['UTC', '2026-11-22T00:00:00.000Z', '2026-11-22'],
    ['Europe/Berlin', '2026-11-21T22:59:59.999Z', '2026-11-21'],
    ['Europe/Berlin', '2026-11-21T23:00:00.000Z', '2026-11-22'],
    // Daylight saving time begins and ends: days of 23 and 25 hours.
    ['Europe/Berlin', '2026-03-28T23:00:00.000Z', '2026-03-29'],
    ['Europe/Berlin', '2026-03-29T21:59:59.999Z', '2026-03-29'],
    ['Europe/Berlin', '2026-03-29T22:00:00.000Z', '2026-03-30'],
    ['Europe/Berlin', '2026-10-25T22:59:59.999Z', '2026-10-25'],
    ['Europe/Berlin', '2026-10-25T23:00:00.000Z', '2026-10-26'],
    ['Pacific/Kiritimati', '2026-11-21T10:00:00.000Z', '2026-11-22'],
    ['America/St_Johns', '2026-11-21T03:29:59.999Z', '2026-11-20'],
    // Daylight saving time begins at midnight, so the day begins at 01:00.
    ['Africa/Cairo', '2026-04-23T22:00:00.000Z', '2026-04-24'],
  ])('%s at %s is %s', (zone, time, expected) => {
    expect(formatDay(createCalendar(zone).dayOf(Date.parse(time)))).toBe(expected);
  });

  test('a calendar with cached days returns the same days as a new one', () => {
    const zones = ['UTC', 'Europe/Berlin', 'America/New_York', 'Africa/Cairo', 'Asia/Kathmandu', 'Australia/Lord_Howe'];
    const start = Date.UTC(2026, 2, 20);
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        fc.array(fc.integer({ min: 0, max: 20 * 86_400_000 }), { minLength: 2, maxLength: 8 }),
        (zone, offsets) => {
          const kept = createCalendar(zone);
          for (const offset of offsets) {
            expect(kept.dayOf(start + offset)).toBe(createCalendar(zone).dayOf(start + offset));
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  test('a calendar looks up each day once, in any order of times', () => {
    const asked = vi.spyOn(Intl.DateTimeFormat.prototype, 'formatToParts');
    const calendar = createCalendar('Europe/Berlin');
    const moments = Array.from({ length: 35 }, (_, index) => Date.UTC(2026, 9, 1 + index, 12));
    const first = moments.map((time) => calendar.dayOf(time));
    const { length } = asked.mock.calls;
    expect(length).toBeGreaterThan(0);
    expect(moments.toReversed().map((time) => calendar.dayOf(time))).toEqual(first.toReversed());
    expect(asked.mock.calls.length).toBe(length);
    asked.mockRestore();
  });

  test('an unknown zone throws a RangeError', () => {
    expect(() => createCalendar('Mars/Olympus')).toThrow(RangeError);
  });
});
