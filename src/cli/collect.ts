import { Argument, Command, InvalidArgumentError, Option } from 'commander';
import { nearest, quote, type SourceConfig } from '../config/index.ts';
import { encode, openMetrics, prometheusText } from '../exposition/index.ts';
import { configurationOf } from './configuration.ts';
import { NothingError, type Terminal } from './contract.ts';
import { parseTime } from './time.ts';
import { unreadHint } from './unread-config.ts';

const formats = { openmetrics: openMetrics, text: prometheusText } as const;

interface CollectOptions {
  readonly format: keyof typeof formats;
  readonly now?: number;
}

const help = `
Reads the source as a server with this configuration would, but only once, and prints what it shows: nothing if any part of it
cannot be read. The command needs no data directory, and a server may run meanwhile.
Times need an offset: 2026-01-15T12:00:00Z.

Examples:
  $ tonnage collect build-farm --config tonnage.yaml
  $ tonnage collect build-farm --config tonnage.yaml | tonnage lint -`;

/** `tonnage collect SOURCE`. */
export function collectCommand(terminal: Terminal): Command {
  return new Command('collect')
    .description('Read one source once and print its metrics')
    .addArgument(new Argument('<source>', 'name of the source'))
    .addOption(
      new Option('--format <format>', 'OpenMetrics 1.0 or Prometheus text')
        .choices(Object.keys(formats))
        .default('openmetrics'),
    )
    .addOption(
      new Option('--now <time>', 'what the source takes for the current time, in RFC 3339 format').argParser(nowOf),
    )
    .addHelpText('after', help)
    .action(async (name: string, options: CollectOptions, command: Command) =>
      collect(name, options, command, terminal),
    );
}

function nowOf(text: string): number {
  const time = parseTime(text);
  if (time === undefined) throw new InvalidArgumentError('Expected a time such as 2026-01-15T12:00:00Z.');
  return time;
}

async function collect(
  name: string,
  { format, now }: CollectOptions,
  command: Command,
  terminal: Terminal,
): Promise<void> {
  const { sources } = await configurationOf(command, terminal);
  const source = sources.find((each) => each.name === name);
  if (source === undefined) throw new NothingError(await unknownSource(name, sources, command, terminal));
  const { collectSource } = await import('../offline.ts');
  const families = await collectSource(source, now);
  const text = new TextDecoder();
  for (const chunk of encode(families, formats[format])) terminal.out(text.decode(chunk, { stream: true }));
}

/** The error for a name that no source has. */
export async function unknownSource(
  name: string,
  sources: readonly SourceConfig[],
  command: Command,
  terminal: Terminal,
): Promise<string> {
  return `${unknown(name, sources)}${await unreadHint(command, terminal)}`;
}

function unknown(name: string, sources: readonly SourceConfig[]): string {
  if (sources.length === 0) return 'the configuration has no sources';
  const names = sources.map((source) => source.name);
  const meant = nearest(name, names);
  const hint = meant === undefined ? '' : `; did you mean ${quote(meant)}?`;
  return `expected the name of a source (${names.join(', ')}), got ${quote(name)}${hint}`;
}
