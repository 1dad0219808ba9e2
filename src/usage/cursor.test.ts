import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatCursor, meterSet, parseUsageQuery, type UsageParameters } from './index.ts';

const meters = meterSet();
const meter = fc.constantFrom('pulls', 'fusion', 'builds');
const optional = (...values: readonly string[]) => fc.option(fc.constantFrom(...values), { nil: undefined });
const value = fc.option(fc.oneof(fc.constantFrom('', 'a', 'b', 'null', 'false'), fc.string()), { nil: undefined });

/** Parameters that distinguish queries. */
const words = fc.record({
  from: optional('2026-01-01', '2026-01-02'),
  to: optional('2026-02-01', '2026-02-02'),
  by: optional('org', 'arch', 'org,arch'),
  window: fc.constantFrom('total', 'day', 'month'),
  org: value,
  arch: value,
  user: value,
  client: value,
  top: optional('1', '2'),
  distinct: optional('user', 'client'),
});

/** Uses a cursor in a query with these parameters, and returns the offset of the page. */
function offsetOf(asked: string, parameters: UsageParameters, cursor: string): number {
  return parseUsageQuery(asked, { ...parameters, cursor }, meters).offset;
}

describe('a cursor', () => {
  test('selects a page of its own query, with any limit', () => {
    const property = fc.property(
      meter,
      words,
      fc.nat(),
      fc.integer({ min: 1, max: 10_000 }),
      (name, asked, at, rows) => {
        const cursor = formatCursor(parseUsageQuery(name, asked, meters), at);
        expect(offsetOf(name, { ...asked, limit: String(rows) }, cursor)).toBe(at);
        expect(cursor).toMatch(/^[A-Za-z0-9_-]+$/);
      },
    );
    fc.assert(property);
  });

  test('is rejected for any other query', () => {
    const property = fc.property(meter, words, meter, words, (name, asked, otherName, other) => {
      fc.pre(JSON.stringify([name, asked]) !== JSON.stringify([otherName, other]));
      const cursor = formatCursor(parseUsageQuery(name, asked, meters), 1);
      expect(() => offsetOf(otherName, other, cursor)).toThrow('cursor: expected a cursor of the same query');
    });
    fc.assert(property);
  });

  test.each(['from', 'to', 'by', 'window', 'org', 'arch', 'user', 'client', 'top', 'distinct'] as const)(
    'is refused where %s alone has changed',
    (name) => {
      const property = fc.property(words, words, (asked, other) => {
        fc.pre(asked[name] !== other[name]);
        const cursor = formatCursor(parseUsageQuery('pulls', asked, meters), 1);
        expect(() => offsetOf('pulls', { ...asked, [name]: other[name] }, cursor)).toThrow('of the same query');
      });
      fc.assert(property);
    },
  );

  test('does not reveal the query', () => {
    const cursor = formatCursor(parseUsageQuery('pulls', { user: 'alice', org: 'secret.org' }, meters), 7);
    expect(Buffer.from(cursor, 'base64url').toString()).toMatch(/^[A-Za-z0-9_-]{12}:7$/);
  });

  test.each([
    ['of an earlier version', Buffer.from('offset:1').toString('base64url')],
    ['with text after it', `${formatCursor(parseUsageQuery('pulls', {}, meters), 1)}!`],
    ['with a negative offset', formatCursor(parseUsageQuery('pulls', {}, meters), -1)],
    ['that is empty', ''],
  ])('%s is refused', (_, cursor) => {
    const refusal = 'cursor: expected the value of next from the previous page';
    expect(() => offsetOf('pulls', {}, cursor)).toThrow(refusal);
    expect(() => parseUsageQuery('pulls', { cursor })).toThrow(refusal);
  });

  test('of any query is accepted without meters, because then the server checks it', () => {
    const cursor = formatCursor(parseUsageQuery('pulls', { org: 'a.org' }), 3);
    expect(parseUsageQuery('pulls', { cursor }).offset).toBe(3);
  });
});
