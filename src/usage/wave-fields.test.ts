import { expect, test } from 'vitest';
import { parseDay, parseWaveField, waveFieldName, waveFieldsOf, waveMeters, type WaveField } from './index.ts';

const day = parseDay('2024-03-25') ?? Number.NaN;

/** Wave's own vectors of its `getKey`. */
test.each<[WaveField, string | undefined]>([
  [{ meter: 'builds' }, undefined],
  [{ meter: 'builds', org: 'wave' }, 'builds/o/wave'],
  [{ meter: 'builds', day, org: 'wave' }, 'builds/o/wave/d/2024-03-25'],
  [{ meter: 'builds', day }, 'builds/d/2024-03-25'],
  [{ meter: 'builds', day, org: 'wave', arch: 'amd64' }, 'builds/o/wave/a/amd64/d/2024-03-25'],
  [{ meter: 'builds', day, arch: 'arm64' }, 'builds/a/arm64/d/2024-03-25'],
  [{ meter: 'pulls', org: 'wave', arch: 'amd64' }, 'pulls/o/wave/a/amd64'],
  [{ meter: 'fusion', day, org: 'wave', arch: 'arm64' }, 'fusion/o/wave/a/arm64/d/2024-03-25'],
])('the field of %j is %j', (field, name) => {
  expect(waveFieldName(field)).toBe(name);
});

const date = '2024-03-25';
test.each<[string, Omit<WaveField, 'meter'>, readonly string[]]>([
  ['anonymous, no architecture', {}, [`M/d/${date}`]],
  ['anonymous', { arch: 'amd64' }, [`M/d/${date}`, `M/a/amd64/d/${date}`, 'M/a/amd64']],
  ['no architecture', { org: 'x.org' }, [`M/d/${date}`, 'M/o/x.org', `M/o/x.org/d/${date}`]],
  [
    'all',
    { org: 'x.org', arch: 'arm64' },
    [
      `M/d/${date}`,
      `M/a/arm64/d/${date}`,
      'M/a/arm64',
      'M/o/x.org',
      `M/o/x.org/d/${date}`,
      'M/o/x.org/a/arm64',
      `M/o/x.org/a/arm64/d/${date}`,
    ],
  ],
])('an event increments the same fields in the same order as in Wave: %s', (_, values, expected) => {
  for (const meter of waveMeters) {
    const fields = waveFieldsOf({ meter, day, ...values });
    expect(fields).toEqual(expected.map((field) => field.replace('M', meter)));
  }
});

test('the fields of all events are the 35 patterns of the five meters', () => {
  const patterns = waveMeters.flatMap((meter) =>
    [{}, { arch: 'A' }, { org: 'O' }, { org: 'O', arch: 'A' }].flatMap((values) =>
      waveFieldsOf({ meter, day, ...values }),
    ),
  );
  expect(new Set(patterns).size).toBe(35);
});

test('a formatted field parses to itself', () => {
  for (const meter of waveMeters) {
    for (const name of waveFieldsOf({ meter, day, org: 'b@c.com', arch: 'arm64' })) {
      expect(waveFieldName(parseWaveField(name) ?? { meter: 'none' })).toBe(name);
    }
  }
});

test.each([
  'builds',
  'build/o/x',
  'egress_bytes/o/x',
  'pulls/o/x/y',
  'pulls/o/x/d/y',
  'pulls/o//d/2024-03-25',
  'pulls/d/2024-13-99',
  'pulls/d/2024-03-25/o/x',
  'pulls/a/amd64/o/x',
  'pulls/o/x/extra',
  '',
])('%j is not a field', (name) => expect(parseWaveField(name)).toBeUndefined());
