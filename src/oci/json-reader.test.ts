import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';

import { atOnce, readJsonObject, type JsonRules, type Read } from './json-reader.ts';
import type { JsonObject } from './json.ts';

const loose: JsonRules = { depthMax: 64, valuesMax: 1_000_000, itemsMax: 1_000_000, distinctMembers: false };
const strict: JsonRules = { ...loose, distinctMembers: true };

const read = (text: string | Uint8Array, rules = loose): Read<JsonObject> =>
  atOnce(readJsonObject(Buffer.from(text), rules));

/** What the language's own parser makes of it: undefined where it is no JSON, or no object. */
function expected(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const found = (text: string): unknown => {
  const reading = read(text);
  return 'value' in reading ? reading.value : undefined;
};

describe('what is read', () => {
  test('is what JSON.parse reads, whatever the object', () => {
    const object = fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue({ maxDepth: 6 }));
    fc.assert(
      fc.property(object, fc.constantFrom(undefined, 1, '\t'), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        expect(found(text)).toEqual(expected(text));
      }),
    );
  });

  test('and refused where JSON.parse refuses it, however an object is broken', () => {
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
        expect(found(broken)).toEqual(expected(broken));
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
  ])('%s is read as it is', (text) => {
    expect(found(text)).toEqual(JSON.parse(text));
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
  ])('%j is no object', (text) => {
    expect(read(text)).toEqual({ refused: expect.stringMatching(/^is no JSON/) });
  });

  it('is UTF-8', () => {
    expect(read(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]))).toEqual({ refused: 'is not UTF-8' });
  });
});

describe('where members must be distinct', () => {
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
  ])('%s is refused', (text) => {
    expect(read(text, strict)).toEqual({ refused: expect.stringContaining('two members') });
    expect(read(text, loose)).toHaveProperty('value');
  });

  it('the same name may stand in different objects', () => {
    expect(read('{"a":{"a":[{"a":1},{"a":2}]},"b":{"a":1}}', strict)).toHaveProperty('value');
  });
});

describe('what is beyond the limits is refused', () => {
  const rules: JsonRules = { depthMax: 3, valuesMax: 10, itemsMax: 4, distinctMembers: true };

  it.each([
    ['{"a":[[1]]}', '{"a":[[[1]]]}', 'deeper than 3'],
    ['{"a":{"b":{"c":1}}}', '{"a":{"b":{"c":{}}}}', 'deeper than 3'],
    ['{"a":[1,2,3,4]}', '{"a":[1,2,3,4,5]}', 'more than 4 entries'],
    ['{"a":[1,2,3,4],"b":[1,2,3]}', '{"a":[1,2,3,4],"b":[1,2,3,4]}', 'more than 10 values'],
  ])('%s is read, and %s is not', (fine, beyond, reason) => {
    expect(read(fine, rules)).toHaveProperty('value');
    expect(read(beyond, rules)).toEqual({ refused: expect.stringContaining(reason) });
  });

  it('as soon as it shows', () => {
    const slices = (text: string): number => {
      const work = readJsonObject(Buffer.from(text), rules);
      for (let count = 1; ; count++) if (work.next().done === true) return count;
    };
    expect(slices(`{"a":${'['.repeat(1_500_000)}`)).toBe(1);
    expect(slices(`{"a":[${'{},'.repeat(1_000_000)}`)).toBe(1);
  });
});

test('a large text takes many slices', () => {
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
