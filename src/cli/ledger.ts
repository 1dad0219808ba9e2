import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { join, resolve } from 'node:path';
import { Command } from 'commander';
import { TonnageError } from '../base/index.ts';
import type { Config } from '../config/index.ts';
import type { Erased, ErasePlan, LedgerCare, Migrated } from '../care/index.ts';
import type { OnProgress, RemoteStore } from '../store/index.ts';
import { meterSet } from '../usage/index.ts';
import { configReader, configurationOf } from './configuration.ts';
import { NothingError, note, UsageError, type Terminal } from './contract.ts';
import { isSameStore } from './same-store.ts';
import { groupThousands } from './usage-table.ts';
import { whereHint } from './unread-config.ts';
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
      const abandonsRedis = await care.deliversElsewhere();
      const rebuilt = await withProgress(terminal, (onProgress) => care.rebuild(onProgress));
      if (abandonsRedis) note(terminal, redisAbandoned);
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
      const target = await targetOf(to, config, terminal);
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

/** Adds the commands that concern only the file. */
function addFileCommands(ledger: Command, terminal: Terminal): void {
  ledger
    .command('check')
    .description('Find damage, sums that do not agree (also in Redis), and reasons why Redis gets nothing')
    .addHelpText('after', checkHelp)
    .action(async (_options: object, command: Command) => {
      const { care } = await careOf(command, terminal);
      const { findings, notes, remedy } = await withProgress(terminal, (onProgress) => care.check(onProgress));
      for (const each of notes) note(terminal, each);
      for (const finding of findings) terminal.out(`${finding}\n`);
      if (findings.length > 0)
        throw new TonnageError(
          'data_invalid',
          `${findings.length} found; ${remedy ?? 'tonnage ledger rebuild repairs sums'}`,
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
      for (const finding of findings) note(terminal, finding);
      if (findings.length > 0)
        note(terminal, 'run tonnage ledger rebuild before you start the server: it repairs this');
      if (care.remote !== undefined || (await care.deliversElsewhere())) {
        note(
          terminal,
          'Redis may have counts that are not in this backup, so nothing is delivered (ledger_gap): run tonnage ledger rebuild ' +
            'before you start the server',
        );
      }
      terminal.out(
        `ok; ${replaced === undefined ? `there was no ledger in ${config.data}` : `the replaced ledger is kept as ${replaced}`}\n`,
      );
    });
}

function pathOf(file: string, { workingDirectory }: Terminal): string {
  if (file === '') throw new UsageError("expected the name of a file, got ''");
  return resolve(workingDirectory, file);
}

const redisAbandoned =
  'this ledger delivered to a Redis that this configuration does not name. Its outbox is now empty, and its totals are in the ' +
  'ledger. Counts of Wave and of other ledgers remain in that Redis; tonnage ledger migrate moves them. If you did not intend ' +
  "this, run the command again with --config and the server's configuration";

/** Rejects the erasure of a name that would remain in a Redis that the configuration does not name. */
async function refuseUnnamedRedis(care: LedgerCare, { data }: Config): Promise<void> {
  if (!(await care.deliversElsewhere())) return;
  throw new TonnageError(
    'config_invalid',
    `the ledger in ${data} delivers to a Redis that this configuration does not name, and the name would remain there: pass the ` +
      "server's configuration with --config, or abandon the Redis with tonnage ledger rebuild first",
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
  if (name === '' || name === '__other__') throw new UsageError(`expected a name to erase, got '${name}'`);
  return org === undefined ? { user: name } : { org: name };
}

/** Prints the plan. Throws `NothingError` for an unknown name. */
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
  const without = 'org' in erased ? 'for no organisation' : 'for no user';
  note(
    terminal,
    series > 0
      ? `${counts} (${cells} sums of ${series} series) of ${whom} will count ${without}, and the name will be erased. ` +
          'This cannot be undone.'
      : `The ledger has no more counts of ${whom}. The remains elsewhere, or of an interrupted run, will be erased. ` +
          'This cannot be undone.',
  );
}

/** The counts of a name, each meter with its unit: `2 pulls, 4,711 By of egress_bytes`. */
function countsOf({ counts }: ErasePlan, configured: Config['usage']['meters']): string {
  const meters = meterSet(configured).byName;
  const parts = counts.map(({ meter, quantity }) => {
    // The unit of a meter that is no longer configured is unknown.
    const unit = meters.get(meter)?.unit ?? '1';
    return `${groupThousands(quantity)} ${unit === '1' ? meter : `${unit} of ${meter}`}`;
  });
  return parts.length === 0 ? 'no counts' : parts.join(', ');
}

/** Asks for confirmation. Throws `UsageError` if there is no terminal; then `--yes` is required. */
async function confirm(terminal: Terminal): Promise<void> {
  if (terminal.input.isTTY !== true) throw new UsageError('standard input is not a terminal: add --yes to continue');
  terminal.say("Continue? Type 'yes': ");
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
  note(terminal, `Redis: ${days} days of meters written, ${adjusted} sums corrected`);
  refuseRejected(rebuilt);
}

function refuseRejected({ rejected }: NonNullable<Migrated['rebuilt']>): void {
  if (rejected === 0) return;
  throw new TonnageError(
    'store_invalid',
    `${rejected} sums in Redis could not be corrected: their fields are not integers, or would overflow 64 bits`,
  );
}

function sayMigrated(terminal: Terminal, { taken, rebuilt, notes }: Migrated, target: Config): void {
  for (const each of notes) note(terminal, each);
  if (taken.keptAs !== undefined) note(terminal, `the previous ledger is kept as ${taken.keptAs}`);
  if (rebuilt) {
    const { days, adjusted } = rebuilt;
    const changes = adjusted === 0 ? 'no sum changed' : `${adjusted} sums added or corrected`;
    note(terminal, `Redis now has all counts of this ledger: ${days} days of meters, ${changes}`);
    refuseRejected(rebuilt);
  }
  const history = `${groupThousands(taken.counts)} counts of others moved`;
  terminal.out(`ok; ${history}; totals are now in ${target.store.driver}: start the server with that configuration\n`);
}

/** The target configuration. It must name the same data directory, because the ledger does not move. */
async function targetOf(to: string, { data }: Config, terminal: Terminal): Promise<Config> {
  const { environment, workingDirectory } = terminal;
  const target = (await configReader()).load({ file: to, environment, flags: {}, workingDirectory });
  if (target.data !== data) {
    throw new TonnageError(
      'config_invalid',
      `${to} names the data directory ${target.data}, but the ledger stays in ${data}: expected the same directory`,
    );
  }
  return target;
}

function sameStore(to: string, remote: RemoteStore | undefined): TonnageError {
  const where = remote ? `in the same ${remote.name}` : 'in the ledger itself';
  return new TonnageError(
    'config_invalid',
    `${to} keeps the totals where they already are, ${where}, so there is nothing to migrate: expected the current configuration ` +
      'in --config and the new one in --to',
  );
}

/** Shows progress on standard error. */
async function withProgress<T>(terminal: Terminal, work: (onProgress: OnProgress) => Promise<T>): Promise<T> {
  let what = '';
  const progress = createProgress({ ...terminal, what: () => what });
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

/** Opens the care of the configured ledger. Throws `not_found` if there is no ledger, unless `needs` is `nothing`. */
async function careOf(command: Command, terminal: Terminal, needs: 'ledger' | 'nothing' = 'ledger'): Promise<Care> {
  const config = await configurationOf(command, terminal);
  const { ledgerFileName, remoteOf } = await import('../app.ts');
  const { openLedgerCare } = await import('../offline.ts');
  const file = join(config.data, ledgerFileName);
  if (needs === 'ledger' && !existsSync(file)) {
    throw new TonnageError('not_found', `there is no ledger in ${config.data}${await whereHint(command, terminal)}`);
  }
  return { config, care: await openLedgerCare(config), remoteOf };
}
