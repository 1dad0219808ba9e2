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
 * Takes over what Wave has counted in a Redis: looks through all fields of its hash, once, and writes down the names in
 * them. Counts stay where they are. Goes on where a run that was killed has stopped; does all of it again when the last
 * one came to its end. Wave and ledgers may write meanwhile; names that appear only then are found by the next run.
 *
 * Rejects with the link's errors (what was found is kept, and the next run goes on), and with `redis_unavailable` when
 * the server has changed on the way: then the next run begins anew.
 */
export async function importWave({ link, clock, onProgress }: WaveImportOptions): Promise<WaveImportSummary> {
  const server = await serverOf(link);
  const left = await readState(link);
  const resumed = left !== undefined && !left.done && left.server === server && left.cursor !== '0';
  const scanned = await scan(link, resumed ? left : newState(server, clock.now()), onProgress);
  if ((await serverOf(link)) !== server) {
    throw new TonnageError(
      'redis_unavailable',
      'another Redis process has taken over meanwhile; the import begins anew',
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

/** Looks at all slices from where `state` stands. Names are written before the state is, so that a repeated step is harmless. */
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
