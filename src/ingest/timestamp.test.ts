import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseTimestamp } from './timestamp.ts';

test.each([
  ['2026-11-21T12:00:00Z', '2026-11-21T12:00:00.000Z'],
  ['2026-11-21t12:00:00z', '2026-11-21T12:00:00.000Z'],
  ['2026-11-21T12:00:00.5Z', '2026-11-21T12:00:00.500Z'],
  ['2026-11-21T12:00:00.123456789Z', '2026-11-21T12:00:00.123Z'],
  ['2026-11-21T12:00:00+05:30', '2026-11-21T06:30:00.000Z'],
  ['2026-11-21T00:30:00-00:00', '2026-11-21T00:30:00.000Z'],
  ['2026-12-31T23:30:00-01:00', '2027-01-01T00:30:00.000Z'],
  ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00.000Z'],
  ['2000-02-29T00:00:00Z', '2000-02-29T00:00:00.000Z'],
  ['0000-01-01T00:00:00Z', '0000-01-01T00:00:00.000Z'],
  // A leap second stays on its day.
  ['2016-12-31T23:59:60Z', '2016-12-31T23:59:59.000Z'],
  ['2016-12-31T23:59:60.9Z', '2016-12-31T23:59:59.900Z'],
  ['2017-01-01T05:29:60+05:30', '2016-12-31T23:59:59.000Z'],
])('%s is %s', (text, expected) => expect(new Date(parseTimestamp(text) ?? Number.NaN).toISOString()).toBe(expected));

test.each([
  '',
  '2026-11-21',
  '2026-11-21T12:00Z',
  '2026-11-21T12:00:00',
  '2026-11-21T12:00:00,5Z',
  '2026-11-21T12:00:00.Z',
  '2026-11-21T12:00:00Zx',
  '2026-11-21T12:00:00+0530',
  '2026-11-21T12:00:00+24:00',
  '2026-11-21T12:00:00+05:60',
  '2026-11-21T12:00:00+05:30:00',
  '2026-13-01T00:00:00Z',
  '2026-00-01T00:00:00Z',
  '2026-04-31T00:00:00Z',
  '2026-01-00T00:00:00Z',
  '2100-02-29T00:00:00Z',
  '2026-11-21T12:60:00Z',
  '2026-11-21T12:00:61Z',
  '2026-11-21T12:00:60Z',
  '2026-11-21T23:59:60Z',
  ' 2026-11-21T12:00:00Z',
  '+2026-11-21T12:00:00Z',
  '\u0662026-11-21T12:00:00Z',
  `2026-11-21T12:00:00.${'1'.repeat(60)}Z`,
])('%j is not a timestamp', (text) => expect(parseTimestamp(text)).toBeUndefined());

test('parses what Date formats, with any offset', () => {
  const moment = fc.date({
    min: new Date('0001-01-02T00:00:00Z'),
    max: new Date('9999-12-30T00:00:00Z'),
    noInvalidDate: true,
  });
  const property = fc.property(moment, fc.integer({ min: -1439, max: 1439 }), (date, offset) => {
    const size = Math.abs(offset);
    const sign = offset < 0 ? '-' : '+';
    const zone = `${sign}${String(Math.floor(size / 60)).padStart(2, '0')}:${String(size % 60).padStart(2, '0')}`;
    const local = new Date(date.getTime() + offset * 60_000).toISOString().replace('Z', zone);
    expect(parseTimestamp(local)).toBe(date.getTime());
  });
  fc.assert(property, { numRuns: 1_000 });
});
