import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalArch, dimensions, parseWaveParameters, seriesKey, waveAnswer, type Series } from './index.ts';

test.each([
  ['amd64', 'amd64'],
  ['x86_64', 'amd64'],
  ['x86-64', 'amd64'],
  ['X86_64', 'amd64'],
  ['arm64', 'arm64'],
  ['aarch64', 'arm64'],
  ['arm', 'arm'],
  ['s390x', 's390x'],
  ['riscv64', 'riscv64'],
  ['unknown', undefined],
  ['', undefined],
  [undefined, undefined],
  ['amd64,arm64', undefined],
  ['linux/amd64', undefined],
  ['a'.repeat(33), undefined],
  ['\u212A', undefined],
])('the canonical architecture of %j is %j', (given, kept) => expect(canonicalArch(given)).toBe(kept));

test('two series have the same key only if they are equal', () => {
  const value = fc.oneof(fc.constantFrom('', 'null', ',', '"', 'a', '","'), fc.string({ maxLength: 4 }));
  const series: fc.Arbitrary<Series> = fc.record({
    meter: fc.constantFrom('pulls', 'fusion'),
    dimensions: fc.record(Object.fromEntries(dimensions.map((name) => [name, value])), { requiredKeys: [] }),
  });
  fc.assert(
    fc.property(series, series, (a, b) => {
      const same = a.meter === b.meter && dimensions.every((name) => a.dimensions[name] === b.dimensions[name]);
      expect(seriesKey(a) === seriesKey(b)).toBe(same);
    }),
  );
});

describe('Wave parameters', () => {
  const dateMessage = 'date format should be yyyy-MM-dd';
  const archMessage = 'arch should be one of [amd64, x86_64, x86-64, arm64, aarch64, arm]';
  test.each([
    [{ date: '2024-03-2' }, dateMessage],
    [{ date: '2024-03-25T' }, dateMessage],
    [{ date: 'x', arch: '64' }, dateMessage],
    [{ arch: '64' }, archMessage],
    [{ arch: 'AMD64' }, archMessage],
  ])('%j is refused in both versions', (parameters, refusal) => {
    expect(parseWaveParameters('v1alpha2', 'pulls', parameters)).toEqual({ refusal });
    expect(parseWaveParameters('v1alpha3', 'pulls', parameters)).toEqual({ refusal });
  });

  test('v1alpha2 checks the architecture and ignores it, v1alpha3 replaces aliases', () => {
    expect(parseWaveParameters('v1alpha2', 'pulls', { arch: 'arm64' })).toEqual({ metric: 'pulls' });
    expect(parseWaveParameters('v1alpha3', 'pulls', { arch: 'arm' })).toEqual({ metric: 'pulls', arch: 'arm64' });
    expect(parseWaveParameters('v1alpha3', 'pulls', { arch: 'x86-64' })).toEqual({ metric: 'pulls', arch: 'amd64' });
  });

  test('empty parameters are ignored, and a date need not exist', () => {
    expect(parseWaveParameters('v1alpha3', 'pulls', { date: '', org: '', arch: '' })).toEqual({ metric: 'pulls' });
    expect(parseWaveParameters('v1alpha3', 'pulls', { date: '2024-99-99' })).toEqual({
      metric: 'pulls',
      date: '2024-99-99',
    });
  });
});

describe('Wave answers', () => {
  const rows = [
    { dimensions: { org: 'org1.com' }, value: 2n },
    { dimensions: { org: null }, value: 2n },
    { dimensions: { org: 'org2.com' }, value: 2n },
  ];
  const orgs = new Map([
    ['org1.com', 2n],
    ['org2.com', 2n],
  ]);
  test('without parameters the count excludes anonymous events', () => {
    expect(waveAnswer({ metric: 'pulls' }, rows)).toEqual({ metric: 'pulls', count: 4n, orgs });
  });
  test('with a date or an architecture the count includes them', () => {
    expect(waveAnswer({ metric: 'pulls', date: '2026-11-21' }, rows)).toEqual({ metric: 'pulls', count: 6n, orgs });
    expect(waveAnswer({ metric: 'pulls', arch: 'arm64' }, rows)).toEqual({
      metric: 'pulls',
      arch: 'arm64',
      count: 6n,
      orgs,
    });
  });
  test('an organisation is returned even with count 0, spelled as in the query', () => {
    expect(waveAnswer({ metric: 'pulls', org: 'ORG1.COM' }, [])).toEqual({
      metric: 'pulls',
      count: 0n,
      orgs: new Map([['ORG1.COM', 0n]]),
    });
  });
  test('without organisations the member is absent', () => {
    expect(waveAnswer({ metric: 'pulls', date: '2024-99-99' }, [])).toEqual({ metric: 'pulls', count: 0n });
  });
});
