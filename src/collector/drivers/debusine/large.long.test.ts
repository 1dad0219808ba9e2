import { beforeAll, describe, expect, it } from 'vitest';
import { suitePostgres } from '../../../../test/support/postgres-suite.ts';
import { encode, openMetrics } from '../../../exposition/index.ts';
import { takeSnapshot } from '../../snapshot.ts';
import { newSet } from '../../testing/sources.ts';
import { changeSummary } from './maintenance.ts';
import { golden, goldenNote, goldenNow, hasGolden } from './testing/golden.ts';
import { clockAt, openBase, openSources } from './testing/open-debusine.ts';
import { differences, sampleKey, samplesOf, type Samples } from './testing/samples.ts';

const postgres = suitePostgres();
const mebibyte = 2 ** 20;

/** The most memory of this process while `work` runs, in bytes. */
async function peakOf(work: () => Promise<unknown>): Promise<number> {
  let peak = 0;
  const look = () => (peak = Math.max(peak, process.memoryUsage.rss()));
  const timer = setInterval(look, 10);
  await work();
  clearInterval(timer);
  look();
  return peak;
}

describe.runIf(hasGolden)(`half a million work requests and a million artifacts${goldenNote}`, () => {
  let large = '';
  let small = '';
  beforeAll(async () => {
    small = await postgres.server.createDatabase(golden('schema-min.sql'), golden('small.sql'));
    large = await postgres.server.createDatabase(golden('schema-min.sql'), golden('large.sql'), 'VACUUM ANALYZE');
  }, 600_000);

  /** A set of collectors that reads a database when it is asked to. */
  async function setOf(database: string) {
    const { set } = newSet(clockAt(goldenNow));
    set.add(await openBase(postgres.server.dsn(database), goldenNow, { zeroFill: 'full' }));
    return set;
  }

  it('are read with less than 100 MB, and the page is that of a real Debusine', { timeout: 300_000 }, async () => {
    const [first, set] = [await setOf(small), await setOf(large)];
    await first.read('farm');
    await first.close();
    const before = process.memoryUsage.rss();
    const peak = await peakOf(() => set.read('farm'));
    const page = Buffer.concat([...encode(set.families('farm'), openMetrics)]).toString();
    await set.close();
    expect(differences(samplesOf(page), samplesOf(golden('large.openmetrics.txt.gz')))).toEqual([]);
    expect((peak - before) / mebibyte).toBeLessThan(100);
  });

  /** The samples of `artifact_file_size`, and how long the read took in milliseconds. */
  async function readFileSizes(): Promise<{ readonly samples: Samples; readonly tookMs: number }> {
    const families = { artifact_file_size: { timeout: '60s' } };
    const [base, sizes] = await openSources(postgres.server.dsn(large), goldenNow, { families });
    const beganMs = performance.now();
    const collected = (await sizes?.collector.collect(AbortSignal.timeout(120_000))) ?? [];
    const tookMs = performance.now() - beganMs;
    await base?.collector.close?.();
    const page = Buffer.concat([...encode(takeSnapshot(collected).families, openMetrics)]);
    return { samples: samplesOf(page.toString()), tookMs };
  }

  it('have the bytes of files of a real Debusine, with and without the summary', { timeout: 300_000 }, async () => {
    const rows = golden('large.artifact_file_size.tsv').trimEnd().split('\n');
    const expected = rows.map((row) => {
      const [bytes, category = '', scope = ''] = row.split('\t');
      return [sampleKey('artifact_file_size', new Map(Object.entries({ category, scope }))), Number(bytes)] as const;
    });
    const fromTables = await readFileSizes();
    await changeSummary(postgres.server.dsn(large), { remove: false, signal: AbortSignal.timeout(120_000) });
    const fromSummary = await readFileSizes();
    expect(differences(fromTables.samples, new Map(expected))).toEqual([]);
    expect(differences(fromSummary.samples, new Map(expected))).toEqual([]);
    expect(fromSummary.tookMs * 5).toBeLessThan(fromTables.tookMs);
  });
});
