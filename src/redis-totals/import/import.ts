import { TonnageError, type Clock } from '../../base/index.ts';
import { formatDay, waveMeters } from '../../usage/index.ts';
import type { WaveImportProgress, WaveImportSummary, WaveMeterSummary } from '../../store/index.ts';
import { indexKey } from '../layout.ts';
import type { RedisLink } from '../../redis-link/index.ts';
import { Reads } from '../read/reads.ts';
import { readScope } from '../read/scope.ts';
import { hasCounted, markForeignDay } from './foreign.ts';
import { IndexCommands, readSlice, serverOf } from './scan.ts';
import { advance, newState, readState, writeStateCommand, type ImportState } from './state.ts';

export interface WaveImportOptions {
  readonly link: Pick<RedisLink, 'send' | 'pipeline' | 'script'>;
  readonly clock: Clock;
  /** Called after each step. */
  readonly onProgress?: (progress: WaveImportProgress) => void;
}

/**
 * Takes over a Wave: scans all fields of its hash once, and adds the names in them to the index. Counts stay where they
 * are. An interrupted import is resumed; after a complete one, the next import scans everything again. Wave and ledgers
 * may write during the import; the next import finds names that they add.
 *
 * Rejects with the link's errors; the next import then resumes. Rejects with `redis_unavailable` if another Redis
 * process took over during the import; the next import then starts again.
 */
export async function importWave({ link, clock, onProgress }: WaveImportOptions): Promise<WaveImportSummary> {
  const server = await serverOf(link);
  const left = await readState(link);
  const resumed = left !== undefined && !left.done && left.server === server && left.cursor !== '0';
  const scanned = await scan(link, resumed ? left : newState(server, clock.now()), onProgress);
  if ((await serverOf(link)) !== server) {
    throw new TonnageError(
      'redis_unavailable',
      'another Redis process took over during the import; the next import starts again',
    );
  }
  const reads = new Reads(link, { check: () => undefined });
  const meters: WaveMeterSummary[] = [];
  for (const meter of waveMeters) {
    const scope = await readScope(reads, meter);
    for (const day of scope.foreign) {
      if (hasCounted(scope, day)) await markForeignDay(link, scope, day);
    }
    const summary = await summaryOf(reads, meter);
    if (summary.organisations + summary.architectures + summary.days > 0) meters.push(summary);
  }
  await link.pipeline([writeStateCommand({ ...scanned, done: true })]);
  const { skipped, skippedNames } = scanned;
  return { scanned: scanned.scanned, resumed, skipped, skippedNames, meters };
}

/** Scans all slices after `from`. Writes names before the state, so that an interruption loses no name. */
async function scan(
  link: WaveImportOptions['link'],
  from: ImportState,
  onProgress: WaveImportOptions['onProgress'],
): Promise<ImportState> {
  const index = new IndexCommands(true);
  let state = from;
  do {
    const { cursor, fields, names, total } = await readSlice(link, state.cursor);
    state = advance(state, cursor, fields, names.skipped);
    await link.pipeline(index.of(names));
    await link.pipeline([writeStateCommand(state)]);
    onProgress?.({ scanned: state.scanned, total });
  } while (state.cursor !== '0');
  return state;
}

async function summaryOf(reads: Reads, meter: string): Promise<WaveMeterSummary> {
  const keys = [indexKey(meter, 'orgs'), indexKey(meter, 'archs')];
  const [organisations, architectures] = await reads.commands(keys.map((key) => ({ key, args: ['SCARD', key] })));
  const days = [...(await readScope(reads, meter)).foreign].toSorted((a, b) => a - b);
  const [first, last] = [days[0], days.at(-1)];
  return {
    meter,
    organisations: Number(organisations),
    architectures: Number(architectures),
    days: days.length,
    ...(first !== undefined && { first: formatDay(first) }),
    ...(last !== undefined && { last: formatDay(last) }),
  };
}
