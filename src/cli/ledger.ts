import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { join, resolve } from 'node:path';
import { Command } from 'commander';
import { TonnageError } from '../base/index.ts';
import { loadConfig, type Config } from '../config/index.ts';
import type { Erased, ErasePlan, LedgerCare, Migrated } from '../care/index.ts';
import type { OnProgress, RemoteStore } from '../store/index.ts';
import { meterSet } from '../usage/index.ts';
import { configurationOf } from './configuration.ts';
import { NothingError, UsageError, type Terminal } from './contract.ts';
import { isSameStore } from './same-store.ts';
import { groupThousands } from './usage-table.ts';
import { unreadHint } from './unread-config.ts';
import { createProgress } from './wave-progress.ts';

const help = `
check and backup work while a server runs. The other commands lock the data directory, so stop the server first.

Examples:
  $ tonnage ledger check
  $ tonnage ledger backup /var/backups/ledger-2026-11-21.sqlite
  $ tonnage ledger restore /var/backups/ledger-2026-11-21.sqlite
  $ tonnage ledger rebuild
  $ tonnage ledger migrate --to with-redis.yaml
  $ tonnage ledger erase --org example.org`;

const checkHelp = `
Prints ok, or a line for each finding. The line names the remedy if tonnage ledger rebuild does not repair the finding. If the
command cannot compare something, because Redis is down or batches are waiting, it says so on standard error; that is not a
finding.
Exit code 0: no finding. 1: a finding. Findings include every state in which Redis gets nothing until an operator acts: Redis
has lost more than the outbox still holds, or the ledger was set back (ledger_gap); Redis refuses writes, or could evict
counts.`;

const restoreHelp = `
The command refuses a backup in which check finds something, and names the remedy. With --with-findings it restores the backup
if tonnage ledger rebuild repairs all findings. To undo a restore, restore the file that it has kept.
It never restores a file that is damaged or not a ledger.
With Redis, nothing is delivered after a restore until tonnage ledger rebuild has run.`;

const migrateHelp = `
The ledger stays in its data directory, which both configurations must name. The command deletes nothing in the old store. It
also moves the counts of Wave in the old Redis: it imports their names first. Standard error names what cannot be moved. If
the command is interrupted, run it again.

Examples:
  $ tonnage --config tonnage.yaml ledger migrate --to with-redis.yaml
  $ tonnage --config with-redis.yaml ledger migrate --to tonnage.yaml`;

const eraseHelp = `
The counts stay, without the organisation or the user. Later events with the same name count for it again. Backups, and the
files that restore and migrate have kept, still contain the name. If the command is interrupted, run it again. Exit code 3:
the ledger does not know the name, and nothing was done.

Examples:
  $ tonnage ledger erase --org example.org
  $ tonnage ledger erase --user alice --yes`;

/** `tonnage ledger check | backup | rebuild | restore | migrate | erase`. */
export function ledgerCommand(terminal: Terminal): Command {
  const ledger = new Command('ledger')
    .description('Check, back up, restore and migrate the ledger')
    .addHelpText('after', help);
  addFileCommands(ledger, terminal);
  ledger
    .command('rebuild')
    .description('Compute the sums again from the details, and Redis from the sums')
    .action(async (_options: object, command: Command) => {
      const { care } = await careOf(command, terminal);
      const givesUp = await care.deliversElsewhere();
      const rebuilt = await withProgress(terminal, (onProgress) => care.rebuild(onProgress));
      if (givesUp) terminal.say(givenUp);
      if (rebuilt) sayRebuilt(terminal, rebuilt);
      terminal.out('ok\n');
    });
  ledger
    .command('migrate')
    .description('Move the totals to the store of another configuration, with the counts of others in the old store')
    .requiredOption('--to <config>', 'configuration file that names the new store')
    .addHelpText('after', migrateHelp)
    .action(async ({ to }: { readonly to: string }, command: Command) => {
      const { config, care, remoteOf } = await careOf(command, terminal);
      const target = targetOf(to, config, terminal);
      const remote = await remoteOf(target);
      if (isSameStore(await remoteOf(config), remote)) throw sameStore(to, remote);
      const migrated = await withProgress(terminal, (onProgress) => care.migrate(remote, onProgress));
      sayMigrated(terminal, migrated, target);
    });
  ledger
    .command('erase')
    .description('Erase an organisation or a user; the counts stay')
    .option('--org <organisation>', 'organisation to erase')
    .option('--user <user>', 'user to erase, by name or by pseudonym')
    .option('--yes', 'do not ask for confirmation')
    .addHelpText('after', eraseHelp)
    .action(async (options: EraseFlags, command: Command) => {
      const erased = erasedOf(options);
      const { care, config } = await careOf(command, terminal);
      await refuseUnnamedRedis(care, config);
      sayPlan(terminal, { erased, plan: await care.planErase(erased), care, config });
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
    .description('Find damage, sums that do not agree (also in Redis), and reasons why Redis gets nothing')
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
    .description('Copy the ledger, as it is at one moment, to a new file')
    .action(async (file: string, _options: object, command: Command) => {
      const target = pathOf(file, terminal);
      await (await careOf(command, terminal)).care.backup(target);
      terminal.out(`${target}\n`);
    });
  ledger
    .command('restore <file>')
    .description('Replace the ledger with a backup, and keep the replaced ledger')
    .option('--with-findings', 'accept a backup with findings that tonnage ledger rebuild repairs')
    .addHelpText('after', restoreHelp)
    .action(async (file: string, { withFindings }: { readonly withFindings?: true }, command: Command) => {
      const { care, config } = await careOf(command, terminal, 'nothing');
      const { keptAs: replaced, findings } = await care.restore(pathOf(file, terminal), withFindings === true);
      for (const finding of findings) terminal.say(`${finding}\n`);
      if (findings.length > 0) terminal.say('run tonnage ledger rebuild before the server is started: it mends that\n');
      if (care.remote !== undefined || (await care.deliversElsewhere())) {
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
async function refuseUnnamedRedis(care: LedgerCare, { data }: Config): Promise<void> {
  if (!(await care.deliversElsewhere())) return;
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
function sayPlan(
  terminal: Terminal,
  { erased, plan, care, config }: Pick<Care, 'care' | 'config'> & { readonly erased: Erased; readonly plan: ErasePlan },
): void {
  const { data, usage } = config;
  const whom = 'org' in erased ? `the organisation ${erased.org}` : `the user ${erased.user}`;
  if (!plan.isKnown) {
    const elsewhere = care.remote === undefined ? '' : `, nor does its ${care.remote}`;
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
function targetOf(to: string, { data }: Config, terminal: Terminal): Config {
  const { environment, workingDirectory } = terminal;
  const target = loadConfig({ file: to, environment, flags: {}, workingDirectory });
  if (target.data !== data) {
    throw new TonnageError(
      'config_invalid',
      `${to} names the data directory ${target.data}, but the ledger stays in ${data}: name the same one there`,
    );
  }
  return target;
}

function sameStore(to: string, remote: RemoteStore | undefined): TonnageError {
  const where = remote ? `in the same ${remote.name}` : 'in the ledger itself';
  return new TonnageError(
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
  const { ledgerFileName, remoteOf } = await import('../app.ts');
  const { openLedgerCare } = await import('../offline.ts');
  const file = join(config.data, ledgerFileName);
  if (needs === 'ledger' && !existsSync(file)) {
    const hint = unreadHint(command, terminal);
    throw new TonnageError('not_found', `${file} does not exist: there is no ledger${hint}`);
  }
  return { config, care: await openLedgerCare(config), remoteOf };
}
