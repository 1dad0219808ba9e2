import { expect, test } from 'vitest';
import { acceptsCsvFirst } from './accepts-csv.ts';

test.each<[header: string | undefined, expected: boolean]>([
  [undefined, false],
  ['', false],
  ['*/*', false],
  ['application/json', false],
  ['text/csv', true],
  ['TEXT/CSV; charset=utf-8', true],
  ['text/csv, */*', true],
  ['*/*, text/csv', true],
  ['text/csv, application/json', true],
  ['application/json, text/csv', false],
  ['application/json;q=0.5, text/csv', true],
  ['text/csv;q=0.5, application/json', false],
  ['text/csv;q=0.5, */*', false],
  ['text/csv;q=0, application/json', false],
  ['text/csv;q=0', false],
  ['text/csv;q=0, */*', false],
  ['application/json;q=0, */*', true],
  ['text/*', true],
  ['text/*, application/json', false],
  ['application/json;q=0, text/csv;q=0', false],
  ['text/csv;q=many, application/json', false],
  ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', false],
])('%j: %s', (header, expected) => {
  expect(acceptsCsvFirst(header)).toBe(expected);
});
