import { resolve } from 'node:path';
import { Command } from 'commander';
import { TonnageError } from '../base/index.ts';
import type { LedgerCare } from '../app.ts';
import { configurationOf } from './configuration.ts';
import type { Terminal } from './contract.ts';

const help = `
check and backup work while a server is running; rebuild and restore take the data directory for themselves.

Examples:
  $ tonnage ledger check
  $ tonnage ledger backup /var/backups/ledger-2026-11-21.sqlite
  $ tonnage ledger restore /var/backups/ledger-2026-11-21.sqlite`;

/** `tonnage ledger check | backup | rebuild | restore`. */
export function ledgerCommand(terminal: Terminal): Command {
  const ledger = new Command('ledger').description('care of the ledger').addHelpText('after', help);
  ledger
    .command('check')
    .description('look for damage, and for sums that do not agree')
    .action(async (_options: object, command: Command) => {
      const findings = await (await careOf(command, terminal)).check();
      for (const finding of findings) terminal.out(`${finding}\n`);
      if (findings.length > 0) throw new TonnageError('data_invalid', `${findings.length} found; rebuild mends sums`);
      terminal.out('ok\n');
    });
  ledger
    .command('backup <file>')
    .description('copy the ledger, as it is at one moment, to a file that does not exist yet')
    .action(async (file: string, _options: object, command: Command) => {
      const target = resolve(terminal.workingDirectory, file);
      await (await careOf(command, terminal)).backup(target);
      terminal.out(`${target}\n`);
    });
  ledger
    .command('rebuild')
    .description('make the sums by day and month anew out of the details')
    .action(async (_options: object, command: Command) => {
      await (await careOf(command, terminal)).rebuild();
      terminal.out('ok\n');
    });
  ledger
    .command('restore <file>')
    .description('put a backup in the place of the ledger, which is kept beside it')
    .action(async (file: string, _options: object, command: Command) => {
      const replaced = await (await careOf(command, terminal)).restore(resolve(terminal.workingDirectory, file));
      terminal.out(replaced === undefined ? 'ok\n' : `ok; what was there is now ${replaced}\n`);
    });
  return ledger;
}

async function careOf(command: Command, terminal: Terminal): Promise<LedgerCare> {
  const { data } = configurationOf(command, terminal);
  const { openLedgerCare } = await import('../app.ts');
  return openLedgerCare(data);
}
