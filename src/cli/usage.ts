import { Argument, Command, Option } from 'commander';
import { limits, TonnageError } from '../base/index.ts';
import {
  assertKept,
  dimensions,
  meterSet,
  parseUsageQuery,
  usageAsCsv,
  type Dimension,
  type MeterSet,
  type UsageAnswer,
  type UsageParameters,
  type UsageQuery,
} from '../usage/index.ts';
import type { Config } from '../config/index.ts';
import { configurationOf } from './configuration.ts';
import { note, UsageError, type Terminal } from './contract.ts';
import { openLocalUsage } from './local-usage.ts';
import { partialNote } from './partial-note.ts';
import { once } from './once.ts';
import { openRemoteUsage } from './remote-usage.ts';
import type { UsageSource } from './usage-source.ts';
import { whereHint } from './unread-config.ts';
import { missingNotes, usageAsTable, type BarStyle } from './usage-table.ts';

const formats = ['table', 'json', 'csv', 'csv-raw'] as const;

interface UsageOptions {
  readonly from?: string;
  readonly to?: string;
  readonly by?: string;
  readonly window?: string;
  readonly org?: string;
  readonly arch?: string;
  readonly upstream?: string;
  readonly repository?: string;
  readonly tag?: string;
  readonly outcome?: string;
  readonly client?: string;
  readonly ofUser?: string;
  readonly top?: string;
  readonly distinct?: string;
  readonly limit?: string;
  readonly cursor?: string;
  readonly incomplete?: boolean;
  readonly format: (typeof formats)[number];
  readonly url?: string;
  readonly user?: string;
}

const help = `
Without --url, the command reads the data directory on this machine, also while the server runs, or the Redis of the
configuration. If the server counts into a Redis and --config does not name its configuration, the totals may be
incomplete, and standard error says so.
Tags, outcomes, users and client addresses are available only if usage.dimensions contains them.
Credentials for --url: TONNAGE_TOKEN (or TONNAGE_TOKEN_FILE), or --user with the password in TONNAGE_PASSWORD. With --user
and without TONNAGE_PASSWORD, the token is the password.
Tables and CSV contain all rows. With --limit, a line below the table (with CSV: on standard error) names the --cursor of the
next rows. JSON is one page of the API; its "next" is the next --cursor. A cursor is valid for the same query only.
If totals are known to be incomplete (ledger_gap), the exit code is 1. With --incomplete the command prints them: JSON has
"incomplete": true, and with tables and CSV a line on standard error says so.
--org is converted to lower case and --arch to its usual name, unless the value was counted exactly as written.

Examples:
  $ tonnage usage pulls --by org
  $ tonnage usage pulls --upstream docker.io --by repository --top 10
  $ tonnage usage pulls --from 2026-08-01 --to 2026-09-01 --by org,day --format csv
  $ TONNAGE_PASSWORD=... tonnage usage pulls --url https://pull.example.org --user alice`;

const builtIn = [...meterSet().byName.keys()].join(', ');

/** `tonnage usage METER`. */
export function usageCommand(terminal: Terminal): Command {
  const command = new Command('usage')
    .description('Print totals of a meter')
    .addArgument(new Argument('<meter>', `what was counted: ${builtIn}, or one of usage.meters`))
    .option('--from <day>', 'first day, as YYYY-MM-DD (default: the first day with data)')
    .option('--to <day>', 'end date, exclusive (default: tomorrow)')
    .option('--by <names>', `dimensions to group by, separated by commas: ${dimensions.join(', ')}, day, month`)
    .option('--window <name>', 'period of each row: total, day or month (default: total)')
    .option('--org <name>', 'only this organisation; empty (here and below): only events without one')
    .option('--arch <name>', 'only this architecture')
    .option('--upstream <name>', 'only this upstream, such as docker.io')
    .option('--repository <name>', 'only this repository, such as library/alpine')
    .option('--tag <name>', 'only this tag')
    .option('--outcome <name>', 'only this outcome')
    .option('--client <address>', 'only this client address')
    .option('--of-user <name>', 'only this user (--user names your credentials)')
    .option('--top <rows>', 'only the largest rows of each period, and one row for the others')
    .option('--distinct <name>', 'number of distinct values in each row: user or client, if it is stored')
    .option('--limit <rows>', 'maximum number of rows')
    .option('--cursor <cursor>', 'continue after the previous page')
    .option('--incomplete', 'print totals even if counts are known to be missing')
    .addOption(new Option('--format <format>', 'output format').choices(formats).default('table'))
    .option('--url <url>', 'query this server')
    .option('--user <name>', 'log in as this user at --url')
    .addHelpText('after', help)
    .action(async (meter: string, _options: object, asked: Command) => usage(meter, asked, terminal));
  // Messages use the parameter names of the API.
  return once(command, (flag) => (flag === '--url' || flag === '--user' ? flag : (names.get(flag) ?? flag.slice(2))));
}

const names: ReadonlyMap<string, string> = new Map([['--of-user', 'user']]);

async function usage(meter: string, command: Command, terminal: Terminal): Promise<void> {
  const options = command.optsWithGlobals<UsageOptions>();
  const { limit, format, url, user } = options;
  if (user !== undefined && url === undefined) {
    throw new UsageError(
      '--user: expected --url with it; the data directory requires no login, and --of-user filters by user',
    );
  }
  // Without --limit, a table or CSV combines all pages.
  const everything = limit === undefined && format !== 'json';
  const words = wordsOf(options, everything ? String(limits.queryRowsMax) : limit);
  const { known, source: open } = await sourceOf(options, command, terminal);
  const query = understood(meter, words, known);
  const source = await open();
  try {
    await print(source, { query, words, everything, format }, terminal);
  } catch (thrown) {
    throw asUsage(thrown);
  } finally {
    await source.close();
  }
}

interface Asked {
  readonly query: UsageQuery;
  readonly words: UsageParameters;
  /** Whether to read all pages. */
  readonly everything: boolean;
  readonly format: UsageOptions['format'];
}

async function print(source: UsageSource, asked: Asked, terminal: Terminal): Promise<void> {
  const { query, words, format } = asked;
  if (format === 'json') {
    terminal.out(`${(await source.page(query, words)).json}\n`);
    return;
  }
  const { answer, next } = await collect(source, asked);
  const notes = missingNotes(words.cursor, next);
  if (answer.incomplete)
    note(terminal, 'these totals are incomplete (ledger_gap): tonnage ledger check shows what is missing');
  if (format === 'csv' || format === 'csv-raw') {
    terminal.out(usageAsCsv(query, answer, { raw: format === 'csv-raw' }));
    for (const each of notes) note(terminal, each);
  } else {
    terminal.out(usageAsTable(query, answer, source.timeZone, barStyle(terminal)));
    if (notes.length > 0) terminal.out(`\n${notes.join('\n')}\n`);
  }
}

/** The query as parameters of the API. */
function wordsOf(options: UsageOptions, limit: string | undefined): UsageParameters {
  const { from, to, by, window, top, distinct, cursor, ofUser } = options;
  const { org, arch, upstream, repository, tag, outcome, client } = options;
  const where = { org, arch, upstream, repository, tag, outcome, client, user: ofUser };
  return { from, to, by, window, ...where, top, distinct, cursor, limit };
}

/** Parses the query. Throws `UsageError` for an invalid one. */
function understood(meter: string, words: UsageParameters, known: Known | undefined): UsageQuery {
  try {
    const query = parseUsageQuery(meter, words, known?.meters);
    if (known) assertKept(query, known.dimensions);
    return query;
  } catch (thrown) {
    if (thrown instanceof TonnageError) throw new UsageError(thrown.message, { cause: thrown });
    throw thrown;
  }
}

/** Converts `bad_request` from the totals to a `UsageError`. */
function asUsage(thrown: unknown): unknown {
  if (!(thrown instanceof TonnageError) || thrown.code !== 'bad_request') return thrown;
  return new UsageError(thrown.message, { cause: thrown });
}

/** The known meters and dimensions. */
interface Known {
  readonly meters: MeterSet;
  readonly dimensions: readonly Dimension[];
}

/** The source of totals, opened once the query is parsed. `known` is absent for a server, which checks the query. */
async function sourceOf(
  { url, user, incomplete = false }: Pick<UsageOptions, 'url' | 'user' | 'incomplete'>,
  command: Command,
  terminal: Terminal,
): Promise<{ readonly source: () => Promise<UsageSource>; readonly known?: Known }> {
  if (url !== undefined) {
    const login = { environment: terminal.environment, ...(user !== undefined && { user }) };
    const remote = { url, takesIncomplete: incomplete, ...login };
    return { source: async () => openRemoteUsage(remote) };
  }
  const config = await configurationOf(command, terminal);
  const { meters, dimensions } = config.usage;
  return {
    source: () => openHere(config, command, terminal, incomplete),
    known: { meters: meterSet(meters), dimensions },
  };
}

/** Opens the totals of a configuration. Notes on standard error if there may be more counts elsewhere. */
async function openHere(
  config: Config,
  command: Command,
  terminal: Terminal,
  takesIncomplete: boolean,
): Promise<UsageSource> {
  try {
    const source = await openLocalUsage(config, terminal.clock, takesIncomplete);
    const partial = await partialNote(config, command, terminal);
    if (partial !== undefined) note(terminal, partial);
    return source;
  } catch (thrown) {
    if (!(thrown instanceof TonnageError) || thrown.code !== 'not_found') throw thrown;
    const message = `${thrown.message}${await whereHint(command, terminal, ', or query a server with --url')}`;
    throw new TonnageError('not_found', message, { cause: thrown });
  }
}

/** The first page, with the rows of all pages if `everything`; otherwise with the cursor of the next page. */
async function collect(
  source: UsageSource,
  { query, words, everything }: Asked,
): Promise<{ readonly answer: UsageAnswer; readonly next?: string }> {
  let page = await source.page(query, words);
  const { answer: first } = page;
  const rows = [...first.rows];
  while (everything && page.next !== undefined) {
    const more = { ...words, cursor: page.next };
    page = await source.page(parseUsageQuery(query.meter, more), more);
    rows.push(...page.answer.rows);
  }
  return { answer: { ...first, rows }, ...(page.next !== undefined && { next: page.next }) };
}

/** Blocks if the locale is UTF-8 (POSIX: the first of these variables that is set). */
function barStyle({ environment }: Terminal): BarStyle {
  const locale = [environment['LC_ALL'], environment['LC_CTYPE'], environment['LANG']].find((value) => value);
  return /utf-?8/i.test(locale ?? '') ? 'blocks' : 'ascii';
}
