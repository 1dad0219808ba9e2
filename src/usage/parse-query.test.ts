import { describe, expect, test } from 'vitest';
import {
  checkRange,
  formatCursor,
  meterSet,
  parseUsageQuery,
  stringifyJson,
  usageAsCsv,
  usageAsJson,
  type UsageAnswer,
  type UsageQuery,
} from './index.ts';

const meters = meterSet([
  { name: 'build_seconds', eventType: 'org.example.build.done', unit: 's', quantity: 'seconds' },
]);

test('a range without to may begin tomorrow, which makes it empty, but not later', () => {
  const today = 20_454;
  for (const range of [{}, { from: today + 1 }, { from: today + 9, to: today + 9 }, { to: 3 }])
    checkRange(range, today);
  expect(() => checkRange({ from: today + 2 }, today)).toThrow(
    'from: expected a day no later than tomorrow (2026-01-02) without to, got "2026-01-03"',
  );
});

describe('parseUsageQuery', () => {
  test('without parameters, all events are summed', () => {
    expect(parseUsageQuery('pulls', {})).toEqual({
      meter: 'pulls',
      by: [],
      window: 'total',
      where: {},
      limit: 1_000,
      offset: 0,
    });
  });

  test('all parameters, with repeated dimensions and the window in by', () => {
    const words = {
      from: '2026-01-01',
      to: '2026-02-01',
      by: 'org,day,arch,org',
      org: 'a.org',
      arch: '',
      limit: '5',
    };
    const cursor = formatCursor(parseUsageQuery('fusion', words), 10);
    expect(parseUsageQuery('fusion', { ...words, cursor })).toEqual({
      meter: 'fusion',
      from: 20_454,
      to: 20_485,
      by: ['org', 'arch'],
      window: 'day',
      where: { org: 'a.org', arch: null },
      limit: 5,
      offset: 10,
    });
  });

  test.each([
    ['pulls', { from: 'yesterday' }, 'bad_request', 'from: expected a day as YYYY-MM-DD, got "yesterday"'],
    ['pulls', { to: '2026-02-30' }, 'bad_request', 'to: expected a day as YYYY-MM-DD, got "2026-02-30"'],
    [
      'pulls',
      { from: '2026-02-02', to: '2026-02-01' },
      'bad_request',
      'from: expected a day no later than to (2026-02-01), got "2026-02-02"',
    ],
    [
      'pulls',
      { by: 'org,colour' },
      'bad_request',
      /^by: expected names from org, arch, .*, day, month, separated by commas, got "colour"$/,
    ],
    ['pulls', { by: 'day,month' }, 'bad_request', 'by: expected the window of window=day, got "month"'],
    ['pulls', { window: 'week' }, 'bad_request', 'window: expected one of total, day, month, got "week"'],
    ['pulls', { limit: '0' }, 'bad_request', 'limit: expected a whole number from 1 to 10000, got "0"'],
    ['pulls', { limit: '10001' }, 'bad_request', /got "10001"$/],
    ['pulls', { limit: '1e3' }, 'bad_request', /got "1e3"$/],
    ['pulls', { cursor: 'abc' }, 'bad_request', /^cursor: /],
    ['pulls', { from: 'x'.repeat(500) }, 'bad_request', /x{80}…"$/],
    [
      'pools',
      {},
      'not_found',
      'meter: expected one of pulls, fusion, builds, mirrors, scans, egress_bytes, build_seconds, got "pools"',
    ],
    ['constructor', {}, 'not_found', /got "constructor"$/],
  ])('%s %j is refused', (meter, parameters, code, message) => {
    expect(() => parseUsageQuery(meter, parameters, meters)).toThrow(expect.objectContaining({ code }));
    expect(() => parseUsageQuery(meter, parameters, meters)).toThrow(message);
  });
});

test('a configured meter can be queried', () => {
  expect(parseUsageQuery('build_seconds', {}, meters).meter).toBe('build_seconds');
});

test('without meters, any meter is accepted', () => {
  expect(parseUsageQuery('pools', {}).meter).toBe('pools');
});

describe('presentation', () => {
  const query: UsageQuery = { meter: 'pulls', window: 'day', by: ['org', 'arch'], where: {}, limit: 2, offset: 0 };
  const answer: UsageAnswer = {
    from: 20_454,
    to: 20_455,
    rows: [
      { from: 20_454, dimensions: { org: 'a "b", c', arch: 'amd64' }, value: 2n ** 60n },
      { from: 20_454, dimensions: { org: null, arch: null }, value: 1n },
    ],
    total: 2n ** 60n + 1n,
    nextOffset: 2,
  };

  test('JSON has integers in full and null for missing dimensions', () => {
    expect(usageAsJson(query, answer)).toBe(
      '{"meter":"pulls","from":"2026-01-01","to":"2026-01-02","window":"day","rows":[' +
        '{"from":"2026-01-01","org":"a \\"b\\", c","arch":"amd64","value":1152921504606846976},' +
        '{"from":"2026-01-01","org":null,"arch":null,"value":1}],"total":1152921504606846977,' +
        `"next":"${formatCursor(query, 2)}"}`,
    );
  });

  test('CSV quotes fields that need it and leaves missing dimensions empty', () => {
    expect(usageAsCsv(query, answer)).toBe(
      'from,org,arch,value\r\n2026-01-01,"a ""b"", c",amd64,1152921504606846976\r\n2026-01-01,,,1\r\n',
    );
  });

  test('maps become objects', () => {
    expect(stringifyJson({ orgs: new Map([['a.org', 2n ** 53n + 1n]]) })).toBe('{"orgs":{"a.org":9007199254740993}}');
  });
});
