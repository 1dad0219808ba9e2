import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { encode } from './encode.ts';
import { openMetrics } from './format.ts';
import { parse } from './parse/parse.ts';

/** Test data of the OpenMetrics project, if it is next to the checkout: one folder per case; `bad_*` must not parse. */
const folder = join(import.meta.dirname, '../../../shared/openmetrics');

const present = existsSync(folder);
const cases = present ? readdirSync(folder).filter((name) => existsSync(join(folder, name, 'metrics'))) : [];

if (!present) process.stderr.write(`The OpenMetrics test data is not at ${folder}: its cases are not tried.\n`);

describe.runIf(present)('the OpenMetrics test data', () => {
  const textOf = (name: string): Buffer => readFileSync(join(folder, name, 'metrics'));

  test('is complete', () => {
    expect(cases.length).toBeGreaterThan(100);
  });

  test.each(cases.filter((name) => name.startsWith('bad_')))('%s is rejected with line and column', (name) => {
    expect(() => parse(textOf(name), { format: 'openmetrics' })).toThrow(
      expect.objectContaining({ name: 'ParseError', line: expect.any(Number), column: expect.any(Number) }),
    );
  });

  test.each(cases.filter((name) => !name.startsWith('bad_')))(
    '%s is parsed, and parsed again after encoding',
    (name) => {
      const families = parse(textOf(name), { format: 'openmetrics' });
      const written = Buffer.concat([...encode(families, openMetrics, { created: true })]);
      const again = parse(written, { format: 'openmetrics' });
      const model = (read: typeof families): unknown => read.map((family) => ({ ...family, line: 0 }));
      expect(model(again)).toEqual(model(families));
    },
  );
});
