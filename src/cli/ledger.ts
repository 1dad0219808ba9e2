import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { join, resolve } from 'node:path';
import { Command } from 'commander';
import { TonnageError } from '../base/index.ts';
import { loadConfig, type Config } from '../config/index.ts';
import type { Erased, ErasePlan, LedgerCare, Migrated } from '../care/index.ts';
import type { OnProgress } from '../store/index.ts';
import { meterSet } from '../usage/index.ts';
import { configurationOf } from './configuration.ts';
import { NothingError, UsageError, type Terminal } from './contract.ts';
import { isSameStore } from './same-store.ts';
import { groupThousands } from './usage-table.ts';
import { unreadHint } from './unread-config.ts';
import { createProgress } from './wave-progress.ts';

const help = `
check and backup work while a server is running; all others take the data directory for themselves, so stop it first.

Examples:
  $ tonnage ledger check
  $ tonnage ledger backup /var/backups/ledger-2026-11-21.sqlite
  $ tonnage ledger restore /var/backups/ledger-2026-11-21.sqlite
  $ tonnage ledger rebuild
  $ tonnage ledger migrate --to with-redis.yaml
  $ tonnage ledger erase --org example.org`;

const checkHelp = `
Prints ok, or a line for each finding, with what to do about it where it is not mended by tonnage ledger rebuild. What could
not be compared, since Redis is away or batches are on their way there, stands on standard error and is no finding.
Exit code 0: nothing was found. 1: something was found, among that every state in which Redis gets nothing until an operator
acts: it has lost more than the outbox still holds, or the ledger was set back (ledger_gap); it refuses to be written, or could
throw counts away.`;

const restoreHelp = `
A backup in which something is found is refused, and it is said what helps: with --with-findings it is restored where
tonnage ledger rebuild mends all of it. So a restore can be taken back, too: by a restore of the file that it has kept.
A file that is damaged, or is no ledger, is never restored.
With Redis, nothing is delivered after a restore until tonnage ledger rebuild has run.`;

const migrateHelp = `
The ledger stays in its data directory; the configuration after --to names the same one. What is in the old store stays
there. Counts of Wave in the old Redis come along: their names are imported first. Standard error names what cannot be
taken along. Interrupted, it is run again.

Examples:
  $ tonnage --config tonnage.yaml ledger migrate --to with-redis.yaml
  $ tonnage --config with-redis.yaml ledger migrate --to tonnage.yaml`;

const eraseHelp = `
What was counted stays counted: under no organisation, or for no user. Events that come later under the same name count
under it again. Backups, and what restore and migrate have kept beside the ledger, still hold the name. Interrupted, it is
run again. Exit code 3: the ledger does not know the name, and nothing was done.

Examples:
  $ tonnage ledger erase --org example.org
  $ tonnage ledger erase --user alice --yes`;

/** `tonnage ledger check | backup | rebuild | restore | migrate | erase`. */
export function ledgerCommand(terminal: Terminal): Command {
  const ledger = new Command('ledger').description('care of the ledger').addHelpText('after', help);
  addFileCommands(ledger, terminal);
  ledger
    .command('rebuild')
    .description('make the sums anew out of the details, and Redis out of the sums')
    .action(async (_options: object, command: Command) => {
      const { care, config } = await careOf(command, terminal);
      const givesUp = config.store.driver === 'sqlite' && (await care.delivers());
      const rebuilt = await withProgress(terminal, (onProgress) => care.rebuild(onProgress));
      if (givesUp) terminal.say(givenUp);
      if (rebuilt) sayRebuilt(terminal, rebuilt);
      terminal.out('ok\n');
    });
  ledger
    .command('migrate')
    .description("take the totals to the store of another configuration, with what the old store had of others'")
    .requiredOption('--to <config>', 'configuration file whose store has the totals from then on')
    .addHelpText('after', migrateHelp)
    .action(async ({ to }: { readonly to: string }, command: Command) => {
      const { config, care, remoteOf } = await careOf(command, terminal);
      const target = targetOf(to, config, terminal);
      const migrated = await withProgress(terminal, (onProgress) => care.migrate(remoteOf(target), onProgress));
      sayMigrated(terminal, migrated, target);
    });
  ledger
    .command('erase')
    .description('forget an organisation or a user; what was counted stays counted')
    .option('--org <organisation>', 'organisation to be forgotten')
    .option('--user <user>', 'user to be forgotten, by name or by pseudonym')
    .option('--yes', 'do not ask')
    .addHelpText('after', eraseHelp)
    .action(async (options: EraseFlags, command: Command) => {
      const erased = erasedOf(options);
      const { care, config } = await careOf(command, terminal);
      await refuseUnnamedRedis(care, config);
      sayPlan(terminal, erased, await care.planErase(erased), config);
      if (options.yes !== true) await confirm(terminal);
      await withProgress(terminal, (onProgress) => care.erase(erased, onProgress));
      terminal.out('ok\n');
    });
  return ledger;
}

/** What concerns the file alone. */
function addFileCommands(ledger: Command, terminal: Terminal): void {
  ledger
    .command('check')
    .description(
      'look for damage, for sums that do not agree, here and in Redis, and for what keeps Redis from being told',
    )
    .addHelpText('after', checkHelp)
    .action(async (_options: object, command: Command) => {
      const { care } = await careOf(command, terminal);
      const { findings, notes, remedy } = await withProgress(terminal, (onProgress) => care.check(onProgress));
      for (const note of notes) terminal.say(`${note}\n`);
      for (const finding of findings) terminal.out(`${finding}\n`);
      if (findings.length > 0)
        throw new TonnageError(
          'data_invalid',
          `${findings.length} found; ${remedy ?? 'tonnage ledger rebuild mends sums'}`,
        );
      terminal.out('ok\n');
    });
  ledger
    .command('backup <file>')
    .description('copy the ledger, as it is at one moment, to a file that does not exist yet')
    .action(async (file: string, _options: object, command: Command) => {
      const target = pathOf(file, terminal);
      await (await careOf(command, terminal)).care.backup(target);
      terminal.out(`${target}\n`);
    });
  ledger
    .command('restore <file>')
    .description('put a backup in the place of the ledger, which is kept beside it')
    .option('--with-findings', 'also one in which check finds what tonnage ledger rebuild mends')
    .addHelpText('after', restoreHelp)
    .action(async (file: string, { withFindings }: { readonly withFindings?: true }, command: Command) => {
      const { care, config } = await careOf(command, terminal, 'nothing');
      const { keptAs: replaced, findings } = await care.restore(pathOf(file, terminal), withFindings === true);
      for (const finding of findings) terminal.say(`${finding}\n`);
      if (findings.length > 0) terminal.say('run tonnage ledger rebuild before the server is started: it mends that\n');
      if (config.store.driver === 'redis' || (await care.delivers())) {
        terminal.say(
          'Redis may have counts that this backup lacks, so it is given nothing (ledger_gap): run tonnage ledger rebuild before ' +
            'the server is started\n',
        );
      }
      terminal.out(
        `ok; ${replaced === undefined ? `there was no ledger in ${config.data} before` : `what was there is now ${replaced}`}\n`,
      );
    });
}

function pathOf(file: string, { workingDirectory }: Terminal): string {
  if (file === '') throw new UsageError("expected the name of a file, got ''");
  return resolve(workingDirectory, file);
}

const givenUp =
  'this ledger delivered to a Redis, which this configuration does not name: its outbox is empty now, and its totals are in ' +
  'the ledger. Counts of Wave and of other ledgers stay in that Redis: tonnage ledger migrate takes them along. If that ' +
  "was not meant, run it again with --config and the server's configuration\n";

/** A name would be forgotten here, and stay in the Redis that nobody has named. */
async function refuseUnnamedRedis(care: LedgerCare, { store, data }: Config): Promise<void> {
  if (store.driver === 'redis' || !(await care.delivers())) return;
  throw new TonnageError(
    'config_invalid',
    `the ledger in ${data} delivers to a Redis, which this configuration does not name and where the name would stay: name ` +
      "the server's configuration with --config, or give the Redis up with tonnage ledger rebuild first",
  );
}

interface EraseFlags {
  readonly org?: string;
  readonly user?: string;
  readonly yes?: true;
}

function erasedOf({ org, user }: EraseFlags): Erased {
  const [name = '', ...more] = [org, user].filter((given) => given !== undefined);
  if (more.length > 0 || (org === undefined && user === undefined)) {
    throw new UsageError('expected one of --org and --user');
  }
  if (name === '' || name === '__other__') throw new UsageError(`expected a name to be forgotten, not '${name}'`);
  return org === undefined ? { user: name } : { org: name };
}

/** Says what will be done. Throws `NothingError` for a name that stands nowhere. */
function sayPlan(terminal: Terminal, erased: Erased, plan: ErasePlan, { data, store, usage }: Config): void {
  const whom = 'org' in erased ? `the organisation ${erased.org}` : `the user ${erased.user}`;
  if (!plan.isKnown) {
    const elsewhere = store.driver === 'redis' ? ', nor does its Redis' : '';
    throw new NothingError(`the ledger in ${data} does not know ${whom}${elsewhere}: nothing was done`);
  }
  const { cells, series } = plan;
  const counts = countsOf(plan, usage.meters);
  const without = 'org' in erased ? 'under no organisation' : 'for no user';
  terminal.say(
    series > 0
      ? `${counts} (${cells} sums of ${series} series) of ${whom} will stand ${without}, and the ` +
          'name will be forgotten. This cannot be undone.\n'
      : `The ledger has nothing under the name of ${whom} any more; what is left of it elsewhere, or by a run that was broken ` +
          'off, will be forgotten. This cannot be undone.\n',
  );
}

/** What stands under a name, each meter with its unit: `2 pulls, 4,711 By of egress_bytes`. */
function countsOf({ counts }: ErasePlan, configured: Config['usage']['meters']): string {
  const meters = meterSet(configured).byName;
  const parts = counts.map(({ meter, quantity }) => {
    // One that is not configured any more has no unit that is known.
    const unit = meters.get(meter)?.unit ?? '1';
    return `${groupThousands(quantity)} ${unit === '1' ? meter : `${unit} of ${meter}`}`;
  });
  return parts.length === 0 ? 'nothing but 0' : parts.join(', ');
}

/** Asks somebody at a terminal; nobody there has to say `--yes` beforehand. */
async function confirm(terminal: Terminal): Promise<void> {
  if (terminal.input.isTTY !== true) throw new UsageError('there is no terminal to ask at: add --yes to go on');
  terminal.say("Go on? Type 'yes': ");
  const lines = createInterface({ input: terminal.input });
  try {
    const { value } = await lines[Symbol.asyncIterator]().next();
    if (value !== 'yes') throw new TonnageError('bad_request', 'nothing was done');
  } finally {
    lines.close();
    terminal.input.pause();
  }
}

function sayRebuilt(terminal: Terminal, rebuilt: NonNullable<Migrated['rebuilt']>): void {
  const { days, adjusted } = rebuilt;
  terminal.say(`Redis: ${days} days of meters written, ${adjusted} sums were not what they should be\n`);
  refuseRejected(rebuilt);
}

function refuseRejected({ rejected }: NonNullable<Migrated['rebuilt']>): void {
  if (rejected === 0) return;
  throw new TonnageError(
    'store_invalid',
    `${rejected} sums in Redis could not be mended: their fields hold no integer, or would leave the range of 64 bits`,
  );
}

function sayMigrated(terminal: Terminal, { taken, rebuilt, notes }: Migrated, target: Config): void {
  for (const note of notes) terminal.say(`${note}\n`);
  if (taken.keptAs !== undefined) terminal.say(`the ledger as it was before is kept as ${taken.keptAs}\n`);
  if (rebuilt) {
    const { days, adjusted } = rebuilt;
    terminal.say(`Redis has all counts of this ledger now: ${days} days, those of each meter by themselves; `);
    terminal.say(
      adjusted === 0 ? 'no sum had to be changed there\n' : `${adjusted} sums were added or set right there\n`,
    );
    refuseRejected(rebuilt);
  }
  const history = `${groupThousands(taken.counts)} counts of others taken over`;
  terminal.out(`ok; ${history}; totals are in ${target.store.driver} from now on: start with that configuration\n`);
}

/** The configuration to go on with. Its data directory must be this one, since the ledger does not move. */
function targetOf(to: string, { data, store }: Config, terminal: Terminal): Config {
  const { environment, workingDirectory } = terminal;
  const target = loadConfig({ file: to, environment, flags: {}, workingDirectory });
  if (target.data !== data) {
    throw new TonnageError(
      'config_invalid',
      `${to} names the data directory ${target.data}, but the ledger stays in ${data}: name the same one there`,
    );
  }
  if (!isSameStore(store, target.store)) return target;
  const where = store.driver === 'sqlite' ? 'in the ledger itself' : 'in the same Redis';
  throw new TonnageError(
    'config_invalid',
    `${to} keeps the totals where they are already, ${where}: there is nothing to migrate; --config names the configuration ` +
      'that has been used so far, --to the one that is used from then on',
  );
}

/** Shows how far something is, on standard error. */
async function withProgress<T>(terminal: Terminal, work: (onProgress: OnProgress) => Promise<T>): Promise<T> {
  let what = '';
  const progress = createProgress({ ...terminal, interactive: terminal.interactive === true, what: () => what });
  try {
    return await work(({ work: name, done, total }) => {
      what = name;
      progress.update(done, total);
    });
  } finally {
    progress.end();
  }
}

interface Care {
  readonly config: Config;
  readonly care: LedgerCare;
  readonly remoteOf: typeof import('../app.ts').remoteOf;
}

/** What looks after the ledger of the configuration, which has to be there, except for a backup to be put in its place. */
async function careOf(command: Command, terminal: Terminal, needs: 'ledger' | 'nothing' = 'ledger'): Promise<Care> {
  const config = configurationOf(command, terminal);
  const { ledgerFileName, openLedgerCare, remoteOf } = await import('../app.ts');
  const file = join(config.data, ledgerFileName);
  if (needs === 'ledger' && !existsSync(file)) {
    const hint = unreadHint(command, terminal);
    throw new TonnageError('not_found', `${file} does not exist: there is no ledger${hint}`);
  }
  return { config, care: openLedgerCare(config), remoteOf };
}
