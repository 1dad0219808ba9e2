import { readFileSync } from 'node:fs';

/** Creates the tables that the driver reads. */
export const debusineSchema = script('schema.sql');
/** Fills them with a small Debusine that reaches every family, label and special case. */
export const debusineSample = script('sample.sql');
/** Fills them with the example of Debusine's design document. */
export const debusineExample = script('example.sql');
/** The clock of the sample. */
export const debusineSampleNow = new Date('2026-06-15T08:30:00Z');

function script(name: string): string {
  return readFileSync(new URL(name, import.meta.url), 'utf8');
}
