import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LabelNames, labelSet, noLabels } from './labels.ts';

const awkward = fc.string({ unit: fc.constantFrom('"', '\\', '\n', ',', '=', '|', 'n', 'ä', '\ud800'), maxLength: 6 });

test('two label sets with different values never have the same key', () => {
  const names = new LabelNames(['a', 'b']);
  fc.assert(
    fc.property(awkward, awkward, awkward, awkward, (a1, b1, a2, b2) => {
      const formed = [a1, b1, a2, b2].map((value) => value.toWellFormed());
      const same = formed[0] === formed[2] && formed[1] === formed[3];
      expect(names.of([a1, b1]).text === names.of([a2, b2]).text).toBe(same);
    }),
    { numRuns: 1000 },
  );
});

test('values are returned unchanged', () => {
  fc.assert(
    fc.property(fc.array(awkward, { minLength: 3, maxLength: 3 }), (values) => {
      const formed = values.map((value) => value.toWellFormed());
      expect(new LabelNames(['a', 'b"c', 'größe']).of(values).values).toEqual(formed);
    }),
  );
});

test('a label set returns its labels', () => {
  const set = labelSet({ a: 'x', b: 'y"' });
  expect([set.text, set.get('b'), set.get('c'), set.plain]).toEqual(['a="x",b="y\\""', 'y"', undefined, true]);
  expect(JSON.stringify(set)).toBe('{"a":"x","b":"y\\""}');
  expect(set.with(labelSet({ c: 'ü' }))).toMatchObject({ text: 'a="x",b="y\\"",c="ü"', plain: false });
  expect([set.with(noLabels), noLabels.with(set)]).toEqual([set, set]);
});

test.each([[''], ['_a'], ['__name__']])('the label name %j is rejected', (name) => {
  expect(() => labelSet({ [name]: 'x' })).toThrow('BUG: label set');
});
