import { expect, test } from 'vitest';
import { createWaveCells, namesNeeded } from './wave-cells.ts';

const names = { orgs: ['a.org', 'b.org'], archs: ['amd64', 'arm64'] };
const day = 20_000;

test.each([
  ['one number for a day', { by: [], where: {} }, ['pulls/d/2024-10-04']],
  [
    'organisations, and the day for what has none',
    { by: ['org'], where: {} },
    ['pulls/d/2024-10-04', 'pulls/o/a.org/d/2024-10-04', 'pulls/o/b.org/d/2024-10-04'],
  ],
  ['one organisation', { by: ['org'], where: { org: 'x.org' } }, ['pulls/o/x.org/d/2024-10-04']],
  [
    'organisations of one architecture, and the architecture for events without an organisation',
    { by: ['org'], where: { arch: 's390x' } },
    ['pulls/a/s390x/d/2024-10-04', 'pulls/o/a.org/a/s390x/d/2024-10-04', 'pulls/o/b.org/a/s390x/d/2024-10-04'],
  ],
  [
    'one organisation and one architecture',
    { by: [], where: { org: 'x.org', arch: 's390x' } },
    ['pulls/o/x.org/a/s390x/d/2024-10-04'],
  ],
] as const)('%s: no field but those that tell', (_, query, fields) => {
  const cells = createWaveCells('pulls', query, names, true);
  expect(cells.fields(day)).toEqual(fields);
  expect(cells.size).toBe(fields.length);
});

test('all time has no field for the sum', () => {
  expect(createWaveCells('pulls', { by: [], where: {} }, names, false).fields()).toEqual([
    'pulls/o/a.org',
    'pulls/o/b.org',
  ]);
  expect(createWaveCells('pulls', { by: ['org'], where: { arch: 'amd64' } }, names, false).fields()).toEqual([
    'pulls/a/amd64',
    'pulls/o/a.org/a/amd64',
    'pulls/o/b.org/a/amd64',
  ]);
});

test('the count without a name is a sum minus its parts, and never below 0', () => {
  const cells = createWaveCells('pulls', { by: ['org'], where: {} }, names, true);
  const found = (values: readonly bigint[]) => {
    const rows: (string | bigint | null)[][] = [];
    cells.cells(values, (org, _, value) => rows.push([org, value]));
    return rows;
  };
  expect(found([10n, 3n, 4n])).toEqual([
    ['a.org', 3n],
    ['b.org', 4n],
    [null, 3n],
  ]);
  expect(found([6n, 3n, 4n]).at(-1)).toEqual([null, 0n]);
});

test('needs no names from the index that the query states itself', () => {
  expect(namesNeeded({ by: ['org'], where: { arch: 'amd64' } }, true)).toEqual({ orgs: true, archs: false });
  expect(namesNeeded({ by: ['org'], where: { org: 'a.org' } }, false)).toEqual({ orgs: false, archs: false });
  expect(namesNeeded({ by: ['arch'], where: {} }, true)).toEqual({ orgs: false, archs: true });
  expect(namesNeeded({ by: [], where: { org: null, arch: null } }, true)).toEqual({ orgs: true, archs: true });
});

test('rejects more fields of a day than the limit before it composes them', () => {
  const many = Array.from({ length: 2_000 }, (_, index) => `name${index}`);
  expect(() => createWaveCells('pulls', { by: ['org', 'arch'], where: {} }, { orgs: many, archs: many }, true)).toThrow(
    'expected at most 1000000 fields of a day',
  );
});
