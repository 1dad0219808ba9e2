import { beforeAll, describe, expect, it } from 'vitest';
import { suitePostgres } from '../../../../test/support/postgres-suite.ts';
import { encode, openMetrics } from '../../../exposition/index.ts';
import { newSet } from '../../testing/sources.ts';
import { golden, goldenNote, goldenNow, hasGolden } from './testing/golden.ts';
import { clockAt, openBase } from './testing/open-debusine.ts';
import { differences, samplesOf } from './testing/samples.ts';

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
});
