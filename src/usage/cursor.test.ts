import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatCursor, meterSet, parseUsageQuery, type UsageParameters } from './index.ts';

const meters = meterSet();
const meter = fc.constantFrom('pulls', 'fusion', 'builds');
const optional = (...values: readonly string[]) => fc.option(fc.constantFrom(...values), { nil: undefined });
const value = fc.option(fc.oneof(fc.constantFrom('', 'a', 'b', 'null', 'false'), fc.string()), { nil: undefined });

/** What makes two questions different ones. */
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

/** Asks for the page that a cursor of one question names in the answer to another. */
function offsetOf(asked: string, parameters: UsageParameters, cursor: string): number {
  return parseUsageQuery(asked, { ...parameters, cursor }, meters).offset;
}

describe('a cursor', () => {
  test('leads its own question to its page, whatever the limit', () => {
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

  test('is refused by each other question', () => {
    const property = fc.property(meter, words, meter, words, (name, asked, otherName, other) => {
      fc.pre(JSON.stringify([name, asked]) !== JSON.stringify([otherName, other]));
      const cursor = formatCursor(parseUsageQuery(name, asked, meters), 1);
      expect(() => offsetOf(otherName, other, cursor)).toThrow(
        'cursor: expected that of an answer to the same question',
      );
    });
    fc.assert(property);
  });

  test.each(['from', 'to', 'by', 'window', 'org', 'arch', 'user', 'client', 'top', 'distinct'] as const)(
    'is refused where %s alone has changed',
    (name) => {
      const property = fc.property(words, words, (asked, other) => {
        fc.pre(asked[name] !== other[name]);
        const cursor = formatCursor(parseUsageQuery('pulls', asked, meters), 1);
        expect(() => offsetOf('pulls', { ...asked, [name]: other[name] }, cursor)).toThrow('to the same question');
      });
      fc.assert(property);
    },
  );

  test('says nothing of what was asked', () => {
    const cursor = formatCursor(parseUsageQuery('pulls', { user: 'alice', org: 'secret.org' }, meters), 7);
    expect(Buffer.from(cursor, 'base64url').toString()).toMatch(/^[A-Za-z0-9_-]{12}:7$/);
  });

  test.each([
    ['of an earlier version', Buffer.from('offset:1').toString('base64url')],
    ['with more behind it', `${formatCursor(parseUsageQuery('pulls', {}, meters), 1)}!`],
    ['of nowhere', formatCursor(parseUsageQuery('pulls', {}, meters), -1)],
    ['that is empty', ''],
  ])('%s is refused', (_, cursor) => {
    const refusal = 'cursor: expected the value of next from the answer before';
    expect(() => offsetOf('pulls', {}, cursor)).toThrow(refusal);
    expect(() => parseUsageQuery('pulls', { cursor })).toThrow(refusal);
  });

  test('of any question is taken where only the server knows which one it was', () => {
    const cursor = formatCursor(parseUsageQuery('pulls', { org: 'a.org' }), 3);
    expect(parseUsageQuery('pulls', { cursor }).offset).toBe(3);
  });
});
