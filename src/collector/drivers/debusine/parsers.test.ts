import { describe, expect, it } from 'vitest';
import { scaled } from '../../../../test/support/long.ts';
import { suitePostgres } from '../../../../test/support/postgres-suite.ts';
import { runProgram } from '../../../../test/support/program.ts';
import { encode, openMetrics, parse, prometheusText } from '../../../exposition/index.ts';
import { readWithPython } from '../../../exposition/testing/python-parser.ts';
import { takeSnapshot } from '../../snapshot.ts';
import { debusineSample, debusineSampleNow, debusineSchema } from './testing/database.ts';
import { golden, goldenNote, goldenNow, hasGolden } from './testing/golden.ts';
import { openBase } from './testing/open-debusine.ts';

const postgres = suitePostgres();

const histogramModes = (['full', 'bounded', 'none'] as const).flatMap((zeroFill) =>
  (['real', 'document'] as const).map((labelRules) => ({ zeroFill, labelRules, activityType: 'histogram' })),
);
const gaugeModes = histogramModes.map((mode) => ({ ...mode, activityType: 'gaugehistogram' }));
const modes = [...histogramModes, ...gaugeModes.slice(0, scaled(1, gaugeModes.length))];

/** A data set: the statements that create it, and its clock. */
interface DataSet {
  readonly title: string;
  readonly scripts: () => readonly string[];
  readonly now: Date;
}

const sample: DataSet = {
  title: 'the sample',
  scripts: () => [debusineSchema, debusineSample],
  now: debusineSampleNow,
};
const goldenSet = (name: string, data: string): DataSet => ({
  title: `the data set ${name}${goldenNote}`,
  scripts: () => [golden('schema-min.sql'), golden(data)],
  now: goldenNow,
});
const others = [goldenSet('small', 'small.sql'), goldenSet('medium', 'medium.sql.gz')].slice(0, scaled(1, 2));

function acceptsAll({ scripts, now }: DataSet): void {
  let created: Promise<string> | undefined;
  const database = () => (created ??= postgres.server.createDatabase(...scripts()));

  it.each(modes)('with $zeroFill, $labelRules, $activityType', { timeout: 300_000 }, async (keys) => {
    const { collector } = await openBase(postgres.server.dsn(await database()), now, keys);
    const { families, series } = takeSnapshot(await collector.collect(new AbortController().signal));
    await collector.close?.();
    const [open, text] = [openMetrics, prometheusText].map((format) =>
      Buffer.concat([...encode(families, format)]).toString(),
    ) as [string, string];
    expect(parse(open, { format: 'openmetrics' }).length).toBe(families.length);
    expect(parse(text, { format: 'text' }).length).toBe(families.length);
    const read = readWithPython([
      { format: 'openmetrics', text: open },
      { format: 'text', text },
    ]);
    expect(read.map((samples) => samples.length)).toEqual([series, series]);
    const { stdout, stderr } = await runProgram('promtool', ['check', 'metrics'], { input: text });
    expect(stdout + stderr).toBe('');
  });
}

describe(`strict parsers accept ${sample.title}`, () => {
  acceptsAll(sample);
});
for (const set of others)
  describe.runIf(hasGolden)(`strict parsers accept ${set.title}`, () => {
    acceptsAll(set);
  });
