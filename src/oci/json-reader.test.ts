import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';

import { readJsonObject, type JsonRules, type Parsed } from './json-reader.ts';
import type { JsonObject } from './json.ts';
import { runToEnd } from './testing/run-to-end.ts';

const loose: JsonRules = { depthMax: 64, valuesMax: 1_000_000, itemsMax: 1_000_000, distinctMembers: false };
const strict: JsonRules = { ...loose, distinctMembers: true };

const parse = (text: string | Uint8Array, rules = loose): Parsed<JsonObject> =>
  runToEnd(readJsonObject(Buffer.from(text), rules));

/** The result of `JSON.parse`; undefined if the text is not a JSON object. */
function expected(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const parsedValue = (text: string): unknown => {
  const parsed = parse(text);
  return 'value' in parsed ? parsed.value : undefined;
};

describe('readJsonObject', () => {
  test('returns the same value as JSON.parse for any object', () => {
    const object = fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue({ maxDepth: 6 }));
    fc.assert(
      fc.property(object, fc.constantFrom(undefined, 1, '\t'), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        expect(parsedValue(text)).toEqual(expected(text));
      }),
    );
  });

  test('rejects a corrupted object exactly if JSON.parse rejects it', () => {
    const object = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 }));
    const characters = fc.string({
      unit: fc.constantFrom(
        '{',
        '}',
        '[',
        ']',
        '"',
        ',',
        ':',
        '\\',
        ' ',
        '0',
        '-',
        '1',
        '.',
        'e',
        '+',
        't',
        '\u0000',
        '\u00fc',
      ),
      maxLength: 3,
    });
    fc.assert(
      fc.property(object, fc.nat(), fc.nat(3), characters, (value, at, length, more) => {
        const text = JSON.stringify(value);
        const start = at % (text.length + 1);
        const broken = text.slice(0, start) + more + text.slice(start + length);
        expect(parsedValue(broken)).toEqual(expected(broken));
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    '{"a":1}',
    ' {"a" : [ 1 , 2 ] } \r\n',
    '{"__proto__":{"a":1},"constructor":2}',
    '{"a":-0,"b":1e3,"c":1.5E-2,"d":123456789012345678901234567890}',
    String.raw`{"\u0061":"\ud83d\ude00\ud800\"\\\/\b\f\n\r\t"}`,
    '{"a":1,"a":2}',
    '{}',
  ])('parses %s', (text) => {
    expect(parsedValue(text)).toEqual(JSON.parse(text));
  });

  it.each([
    '',
    ' ',
    '{',
    '}',
    '{"a":1}}',
    '{"a":1} x',
    '{"a":1,}',
    '{,}',
    '{"a"}',
    '{"a":}',
    '{a:1}',
    '{"a":[1,]}',
    '{"a":[1}',
    '{"a":01}',
    '{"a":+1}',
    '{"a":.5}',
    '{"a":NaN}',
    '{"a":truex}',
    '{"a":"\n"}',
    String.raw`{"a":"\x"}`,
    String.raw`{"a":"\u12"}`,
    '{"a":"\\',
    '[]',
    'null',
    '"a"',
    '\ufeff{}',
  ])('rejects %j', (text) => {
    expect(parse(text)).toEqual({ problem: expect.stringMatching(/^is not (a )?JSON/) });
  });

  it('rejects invalid UTF-8', () => {
    expect(parse(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]))).toEqual({ problem: 'is not UTF-8' });
  });
});

describe('if members must be distinct', () => {
  it.each([
    '{"layers":1,"layers":2}',
    '{"layers":1,"LAYERS":2}',
    String.raw`{"layers":1,"\u006cayers":2}`,
    '{"layers":1,"layer\u017f":2}',
    '{"kind":1,"\u212aind":2}',
    '{"a":[{"digest":1,"Digest":2}]}',
    '{"a":{"b":{"c":1,"C":1}}}',
    '{"":1,"":2}',
    '{"__proto__":1,"__PROTO__":2}',
  ])('%s is rejected', (text) => {
    expect(parse(text, strict)).toEqual({ problem: expect.stringContaining('two members') });
    expect(parse(text, loose)).toHaveProperty('value');
  });

  it('two objects may have members of the same name', () => {
    expect(parse('{"a":{"a":[{"a":1},{"a":2}]},"b":{"a":1}}', strict)).toHaveProperty('value');
  });
});

describe('a document over a limit', () => {
  const rules: JsonRules = { depthMax: 3, valuesMax: 10, itemsMax: 4, distinctMembers: true };

  it.each([
    ['{"a":[[1]]}', '{"a":[[[1]]]}', 'deeper than 3'],
    ['{"a":{"b":{"c":1}}}', '{"a":{"b":{"c":{}}}}', 'deeper than 3'],
    ['{"a":[1,2,3,4]}', '{"a":[1,2,3,4,5]}', 'more than 4 entries'],
    ['{"a":[1,2,3,4],"b":[1,2,3]}', '{"a":[1,2,3,4],"b":[1,2,3,4]}', 'more than 10 values'],
  ])('is rejected: %s is within the limit, %s is over it', (within, over, problem) => {
    expect(parse(within, rules)).toHaveProperty('value');
    expect(parse(over, rules)).toEqual({ problem: expect.stringContaining(problem) });
  });

  it('is rejected in the slice that exceeds the limit', () => {
    const slices = (text: string): number => {
      const work = readJsonObject(Buffer.from(text), rules);
      for (let count = 1; ; count++) if (work.next().done === true) return count;
    };
    expect(slices(`{"a":${'['.repeat(1_500_000)}`)).toBe(1);
    expect(slices(`{"a":[${'{},'.repeat(1_000_000)}`)).toBe(1);
  });
});

test('a large document takes many slices', () => {
  const text = JSON.stringify({ list: Array.from({ length: 20_000 }, (_, index) => ({ name: `entry ${index}` })) });
  const work = readJsonObject(Buffer.from(text), loose);
  let slices = 0;
  for (;;) {
    const step = work.next();
    slices++;
    if (step.done !== true) continue;
    expect(step.value).toEqual({ value: JSON.parse(text) });
    break;
  }
  expect(slices).toBeGreaterThan(text.length / 64 / 1024);
});
