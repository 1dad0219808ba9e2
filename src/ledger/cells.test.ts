import fc from 'fast-check';
import { expect, test } from 'vitest';
import { limits } from '../base/index.ts';
import { seriesKey, type Dimension, type DimensionValues } from '../usage/index.ts';
import { Cells } from './cells.ts';

const kept = ['org', 'arch', 'repository'] as const;

function cellsThatFold(foldedOrg: string, folds: Dimension[]): Cells {
  return new Cells(
    kept,
    (_day, { org, arch, repository }, onFold) => {
      const isFolded = org === foldedOrg;
      if (isFolded) onFold('org');
      return {
        ...(org !== undefined && { org: isFolded ? '__other__' : org }),
        ...(arch !== undefined && { arch }),
        ...(repository !== undefined && { repository }),
      };
    },
    (dimension) => folds.push(dimension),
  );
}

test('equal values share a cell, different values do not', () => {
  const value = fc.option(fc.constantFrom('', 'a', 'b', 'undefined', '__other__'), { nil: undefined });
  const values = fc
    .record({ org: value, arch: value, repository: value, tag: value })
    .map(
      (record) =>
        Object.fromEntries(Object.entries(record).filter(([, each]) => each !== undefined)) as DimensionValues,
    );
  const event = fc.tuple(fc.constantFrom('pulls', 'fusion'), fc.integer({ min: 1, max: 3 }), values);
  fc.assert(
    fc.property(fc.array(event, { maxLength: 30 }), (events) => {
      const cells = cellsThatFold('no value', []);
      const byKey = new Map<string, unknown>();
      for (const [meter, day, each] of events) {
        const { tag: _, ...dimensions } = each;
        const cell = cells.of(meter, day, each);
        expect(cell).toEqual({ meter, day, dimensions });
        const key = `${day} ${seriesKey({ meter, dimensions })}`;
        expect(byKey.get(key) ?? cell).toBe(cell);
        byKey.set(key, cell);
      }
    }),
  );
});

test('an event that folds uses the cell of the folded values, and reports it each time', () => {
  const folds: Dimension[] = [];
  const cells = cellsThatFold('late.org', folds);
  const folded = cells.of('pulls', 1, { org: 'late.org', arch: 'amd64' });
  expect(folded.dimensions).toEqual({ org: '__other__', arch: 'amd64' });
  expect(cells.of('pulls', 1, { org: 'late.org', arch: 'amd64' })).toBe(folded);
  expect(folds).toEqual(['org', 'org']);
  expect(cells.of('pulls', 1, { org: '__other__', arch: 'amd64' })).toBe(folded);
});

test('remembers a bounded number of combinations', () => {
  const cells = cellsThatFold('no value', []);
  const first = cells.of('pulls', 1, { org: 'first.org' });
  expect(cells.of('pulls', 1, { org: 'first.org' })).toBe(first);
  for (let index = 0; index <= limits.rememberedCellsMax; index++) cells.of('pulls', 1, { org: `o${index}` });
  expect(cells.of('pulls', 1, { org: 'first.org' })).not.toBe(first);
  expect(cells.of('pulls', 1, { org: 'first.org' })).toEqual(first);
});

test('remembers a bounded number of combinations that fold', () => {
  const cells = cellsThatFold('late.org', []);
  const values = (repository: string) => ({ org: 'late.org', repository });
  const first = cells.of('pulls', 1, values('first'));
  expect(cells.of('pulls', 1, values('first'))).toBe(first);
  for (let index = 0; index <= limits.rememberedCellsMax; index++) cells.of('pulls', 1, values(`r${index}`));
  expect(cells.of('pulls', 1, values('first'))).not.toBe(first);
  expect(cells.of('pulls', 1, values('first'))).toEqual(first);
});
