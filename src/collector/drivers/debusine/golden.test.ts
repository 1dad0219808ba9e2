import { Client } from 'pg';
import { beforeAll, describe, expect, it } from 'vitest';
import { suitePostgres } from '../../../../test/support/postgres-suite.ts';
import { encode, openMetrics, prometheusText } from '../../../exposition/index.ts';
import { takeSnapshot } from '../../snapshot.ts';
import { edgeCases, golden, goldenNote, goldenNow, hasGolden, type EdgeCase } from './testing/golden.ts';
import { modelOf } from './testing/model.ts';
import { openBase } from './testing/open-debusine.ts';
import { readRows } from './testing/rows.ts';
import { differences, samplesOf, type Samples } from './testing/samples.ts';

const postgres = suitePostgres();
const formats = { openmetrics: openMetrics, prometheus: prometheusText };

/** The page of a database in both formats, as Debusine writes it. */
async function pagesOf(database: string) {
  const { collector } = await openBase(postgres.server.dsn(database), goldenNow, { zeroFill: 'full' });
  const { families } = takeSnapshot(await collector.collect(new AbortController().signal));
  await collector.close?.();
  const page = (format: keyof typeof formats) => Buffer.concat([...encode(families, formats[format])]).toString();
  return { openmetrics: page('openmetrics'), prometheus: page('prometheus') };
}

describe.runIf(hasGolden)(`the page of a real Debusine${goldenNote}`, () => {
  it.each([
    ['small', 'small.sql'],
    ['medium', 'medium.sql.gz'],
  ])('is the page of the data set %s, sample by sample', async (name, data) => {
    const pages = await pagesOf(await postgres.server.createDatabase(golden('schema-min.sql'), golden(data)));
    for (const format of ['openmetrics', 'prometheus'] as const) {
      const expected = samplesOf(golden(`${name}.${format}.txt.gz`));
      expect(expected.size).toBeGreaterThan(5_000);
      expect(differences(samplesOf(pages[format]), expected)).toEqual([]);
    }
  });

  describe('changes as ours does', () => {
    let small = '';
    let before: Samples;
    beforeAll(async () => {
      small = await postgres.server.createDatabase(golden('schema-min.sql'), golden('small.sql'));
      before = samplesOf((await pagesOf(small)).openmetrics);
    });

    // The database refuses one of the changes.
    const possible = edgeCases().filter(({ outcome }) => !outcome.startsWith('SQL refused'));
    it.each(possible)('in the case $name', async (edge) => {
      const changed = `edge_${edge.name}`;
      await postgres.server.sql('postgres', `CREATE DATABASE ${changed} TEMPLATE ${small}`);
      const client = new Client(postgres.server.dsn(changed));
      await client.connect();
      try {
        await client.query(edge.sql);
        const after = samplesOf((await pagesOf(changed)).openmetrics);
        if (edge.series !== undefined) expectSameChanges(edge, before, after);
        // The model ignores a text in the place of a list; the real page, and so ours, takes its characters.
        if (edge.name === 'worker_arch_string_not_list') return;
        const options = { zeroFill: 'full', labelRules: 'real', signonProviders: [] } as const;
        const model = modelOf(await readRows(client), { ...options, now: goldenNow.getTime() * 1_000 });
        expect(differences(after, model)).toEqual([]);
      } finally {
        await client.end();
        await postgres.server.sql('postgres', `DROP DATABASE ${changed}`);
      }
    });
  });
});

/**
 * The change of our page is that of the real page, except where the real page has series twice, which ours adds up, or
 * names of labels that are not legal.
 */
function expectSameChanges(edge: EdgeCase, before: Samples, after: Samples): void {
  const legal = (lines: readonly string[]) => lines.map((line) => line.replace('kfreebsd-amd64="', 'kfreebsd_amd64="'));
  const doubled = samplesOf(legal(edge.duplicate_series).join('\n'), { duplicates: 'sum' });
  expect(after.size).toBe((edge.series ?? 0) - edge.duplicate_series.length + doubled.size);
  for (const [lines, changes] of [
    [edge.added_nonzero, changesOf(before, after)],
    [edge.removed_nonzero, changesOf(after, before)],
  ] as const) {
    const listed = samplesOf(legal(lines).join('\n'), { duplicates: 'sum' });
    const expected = new Map([...listed].map(([key, value]) => [key, doubled.get(key) ?? value]));
    // The list of changes of the real page has at most 40 lines, and leaves out some of the series that it has twice.
    const isComplete = lines.length < 40 && doubled.size === 0;
    const compared = isComplete ? changes : new Map([...changes].filter(([key]) => expected.has(key)));
    expect(differences(compared, expected)).toEqual([]);
  }
}

/** The samples of `to` that `from` does not have, or has with another value, apart from zeros. */
function changesOf(from: Samples, to: Samples): Samples {
  return new Map([...to].filter(([key, value]) => value !== 0 && from.get(key) !== value));
}
