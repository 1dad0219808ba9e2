import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Argument, Command } from 'commander';
import { fileErrorReason } from '../base/index.ts';
import { quote, type SourceConfig } from '../config/index.ts';
import { unknownSource } from './collect.ts';
import { configurationOf } from './configuration.ts';
import { exitCodes, note, NothingError, signalEchoMs, UsageError, type Terminal } from './contract.ts';

const driver = 'debusine';
const sourceArgument = () =>
  new Argument('[source]', 'name of the source; default: the only one of the driver debusine');

const grantsHelp = `
The command prints SQL for psql. Its comments say how to create the role. The role may then read the columns that the metrics need, and nothing else. With a
configuration, these include the families that the source has switched on.

Examples:
  $ tonnage debusine grants --role tonnage | sudo -u postgres psql debusine
  $ tonnage debusine grants build-farm --config tonnage.yaml --summary`;

const summaryHelp = `
The summary is a schema "tonnage" in the database of Debusine, with tables that triggers keep. It makes artifact_file_size,
artifact_file_sizes and artifact_file_counts cheap to read. Tonnage reads it as soon as it is there. Only the owner of the
tables or a superuser may install it, and the role of Tonnage then needs the output of: tonnage debusine grants --summary.

Examples:
  $ tonnage debusine install-summary --print | sudo -u postgres psql -v ON_ERROR_STOP=1 debusine
  $ tonnage debusine install-summary build-farm --config tonnage.yaml --dsn-file owner.dsn
  $ tonnage debusine install-summary build-farm --config tonnage.yaml --dsn-file owner.dsn --remove`;

interface GrantsOptions {
  readonly role: string;
  readonly families?: string;
  readonly summary?: true;
}

interface SummaryOptions {
  readonly dsnFile?: string;
  readonly print?: true;
  readonly remove?: true;
}

/** `tonnage debusine grants | install-summary`. */
export function debusineCommand(terminal: Terminal): Command {
  const debusine = new Command('debusine').description('Prepare the database of a Debusine source');
  debusine
    .command('grants')
    .description('Print the rights that the role of a source needs, as SQL')
    .addArgument(sourceArgument())
    .option('--role <name>', 'the role', 'tonnage')
    .option('--families <names>', 'optional families, separated by commas; default: those of the source')
    .option('--summary', 'also the rights to read the summary, which must be installed')
    .addHelpText('after', grantsHelp)
    .action(async (name: string | undefined, options: GrantsOptions, command: Command) =>
      printGrants(name, options, command, terminal),
    );
  debusine
    .command('install-summary')
    .description('Install the summary of file sizes in the database, or remove it')
    .addArgument(sourceArgument())
    .option('--dsn-file <file>', 'file with the URL of the database; default: that of the source')
    .option('--print', 'print the SQL, and change nothing')
    .option('--remove', 'remove the summary')
    .addHelpText('after', summaryHelp)
    .action(async (name: string | undefined, options: SummaryOptions, command: Command) =>
      installSummary(name, options, command, terminal),
    );
  return debusine;
}

async function loadMaintenance() {
  const { loadDebusineMaintenance } = await import('../app.ts');
  return loadDebusineMaintenance();
}

async function printGrants(
  name: string | undefined,
  { role, families, summary }: GrantsOptions,
  command: Command,
  terminal: Terminal,
): Promise<void> {
  // A new line would end the comment that names the role.
  if (role === '' || /\p{Cc}/u.test(role)) {
    throw new UsageError('--role: expected the name of a role, without control characters');
  }
  const { familiesOf, grantStatements, optionalNames } = await loadMaintenance();
  const source = await sourceOf(name, command, terminal);
  const chosen = families === undefined ? (source ? familiesOf(source) : []) : parseFamilies(families, optionalNames);
  for (const line of grantStatements({ role, families: chosen, summary: summary === true })) terminal.out(`${line}\n`);
}

function parseFamilies(text: string, known: readonly string[]): readonly string[] {
  const names = text.split(',').filter((name) => name !== '');
  const unknown = names.find((name) => !known.includes(name));
  if (unknown === undefined) return names;
  throw new UsageError(`--families: expected some of ${known.join(', ')}, got ${quote(unknown)}`);
}

async function installSummary(
  name: string | undefined,
  { dsnFile, print, remove = false }: { readonly remove?: boolean } & Omit<SummaryOptions, 'remove'>,
  command: Command,
  terminal: Terminal,
): Promise<void> {
  const { changeSummary, checkedDsn, dsnOf, summarySteps } = await loadMaintenance();
  if (print) {
    for (const step of summarySteps(remove)) terminal.out(`${step.trim()}\n\n`);
    return;
  }
  const source = dsnFile === undefined ? await sourceOf(name, command, terminal) : undefined;
  if (dsnFile === undefined && source === undefined) {
    throw new UsageError('expected a Debusine source in the configuration, or --dsn-file, or --print');
  }
  const dsn = source === undefined ? checkedDsn(readDsn(dsnFile ?? '', terminal)) : dsnOf(source);
  await untilSignal(terminal, (signal) => changeSummary(dsn, { remove, signal }));
  note(terminal, remove ? 'the summary is removed' : 'the summary is installed');
}

/** Runs work that the first signal interrupts. The second one ends the process at once. */
async function untilSignal(terminal: Terminal, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const { clock } = terminal;
  const aborting = new AbortController();
  let firstAt: number | undefined;
  const stop = terminal.onSignals((signal) => {
    if (firstAt === undefined) {
      firstAt = clock.monotonic();
      note(terminal, `${signal}: stopping`);
      aborting.abort();
    } else if (clock.monotonic() - firstAt > signalEchoMs) terminal.end(exitCodes.failed);
  });
  try {
    await work(aborting.signal);
  } finally {
    stop();
  }
}

function readDsn(file: string, { workingDirectory }: Terminal): string {
  try {
    return readFileSync(resolve(workingDirectory, file), 'utf8');
  } catch (cause) {
    throw new UsageError(`--dsn-file: ${file} cannot be read: ${fileErrorReason(cause)}`, { cause });
  }
}

/**
 * The source with this name, or the only Debusine source of the configuration; `undefined` if it has none. Throws
 * `NothingError` for an unknown name.
 */
async function sourceOf(
  name: string | undefined,
  command: Command,
  terminal: Terminal,
): Promise<SourceConfig | undefined> {
  const { sources } = await configurationOf(command, terminal);
  const ours = sources.filter((source) => source.driver === driver);
  if (name !== undefined) {
    const source = ours.find((each) => each.name === name);
    if (source !== undefined) return source;
    const isOther = sources.some((each) => each.name === name);
    if (isOther) throw new NothingError(`expected a source of the driver ${driver}, but ${name} has another one`);
    throw new NothingError(await unknownSource(name, ours, command, terminal));
  }
  if (ours.length <= 1) return ours[0];
  throw new UsageError(`expected the name of a source (${ours.map((source) => source.name).join(', ')})`);
}
