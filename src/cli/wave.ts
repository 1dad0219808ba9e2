import { Command } from 'commander';
import { parseRedisUrl, quote, redisUrlForm, type Config } from '../config/index.ts';
import type { WaveImportProgress, WaveImportSummary, WaveMeterSummary } from '../store/index.ts';
import { configurationOf } from './configuration.ts';
import { note, UsageError, type Terminal } from './contract.ts';
import { printable } from './server-response.ts';
import { counted } from './usage-table.ts';
import { createProgress } from './wave-progress.ts';

/** Imports Wave's names in the store of a configuration. Resolves with `undefined` if Wave does not use that store. */
type ImportWave = (
  config: Config,
  onProgress: (progress: WaveImportProgress) => void,
) => Promise<WaveImportSummary | undefined>;

const help = `
The command scans the hash metrics/v1 once and stores the names that it finds in an index. It does not change counts. Wave may
run meanwhile. If the command is interrupted, run it again: it continues where it stopped. Run it once more after you have
stopped Wave.
It uses the Redis of the configuration (store), or that of --url with the password in TONNAGE_STORE_PASSWORD.

Examples:
  $ tonnage wave import --config tonnage.yaml
  $ TONNAGE_STORE_PASSWORD=... tonnage wave import --url redis://redis.example.org:6379`;

/** `tonnage wave import`. */
export function waveCommand(terminal: Terminal, importWave: ImportWave): Command {
  const wave = new Command('wave').description('Take over the counts of Seqera Wave').addHelpText('after', help);
  wave
    .command('import')
    .description('Index the names that Wave has counted in a Redis')
    .option('--url <url>', 'the Redis of Wave: redis://, rediss:// or unix://')
    .action(async (options: { readonly url?: string }, command: Command) => {
      const config = await configOf(command, terminal, options.url);
      const progress = createProgress(terminal);
      const summary = await importWave(config, ({ scanned, total }) => progress.update(scanned, total)).finally(() =>
        progress.end(),
      );
      if (!summary) {
        throw new UsageError('wave import: expected --url, or a configuration whose store has driver redis');
      }
      report(summary, terminal);
    });
  return wave;
}

/** The configuration with `--url` as its store, which keeps the configured credentials. */
async function configOf(command: Command, terminal: Terminal, url: string | undefined): Promise<Config> {
  if (url !== undefined && parseRedisUrl(url) === undefined) {
    throw new UsageError(`--url: expected ${redisUrlForm}, got ${quote(url)}`);
  }
  return configurationOf(command, terminal, url === undefined ? {} : { url });
}

function report({ scanned, resumed, skipped, skippedNames, meters }: WaveImportSummary, terminal: Terminal): void {
  const fields = counted(scanned, 'field');
  terminal.out(`${fields} scanned${resumed ? ', including those of an interrupted run' : ''}\n`);
  for (const meter of meters) terminal.out(`${meterLine(meter)}\n`);
  if (skipped === 0) return;
  const more = skipped > skippedNames.length ? ', ...' : '';
  const named = `${skippedNames.map((name) => printable(JSON.stringify(name))).join(', ')}${more}`;
  note(
    terminal,
    `${counted(skipped, 'field')} skipped, because Wave does not write them or they are ambiguous: ${named}`,
  );
}

function meterLine({ meter, organisations, architectures, days, first, last }: WaveMeterSummary): string {
  const range = first === undefined || last === undefined ? '' : ` of Wave, ${first} to ${last}`;
  const names = `${counted(organisations, 'organisation')}, ${counted(architectures, 'architecture')}`;
  return `${meter}: ${names}, ${counted(days, 'day')}${range}`;
}
