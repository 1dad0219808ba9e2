import type { Command } from 'commander';
import type { Config } from '../config/index.ts';
import { dataOf } from './configuration.ts';
import type { Terminal } from './contract.ts';
import { unreadConfig } from './unread-config.ts';

/**
 * A note for totals from the ledger's file, if a Redis or another directory may have more counts. It says how to read
 * those. `undefined` if there is no sign of other counts.
 */
export async function partialNote(config: Config, command: Command, terminal: Terminal): Promise<string | undefined> {
  const { remoteOf } = await import('../app.ts');
  const { openLedgerCare } = await import('../offline.ts');
  const care = await openLedgerCare(config);
  if (care.remote !== undefined) return undefined;
  const alone = `these counts are only those of the ledger in ${config.data}`;
  const unread = await unreadConfig(command, terminal);
  // A directory from --data that differs from the file's is another ledger.
  const isAbout = unread?.config?.data === config.data || dataOf(command) === undefined;
  if (unread?.config !== undefined && isAbout) {
    const { data } = unread.config;
    const remote = await remoteOf(unread.config);
    const says = [
      ...(data === config.data ? [] : [`has its data in ${data}`]),
      ...(remote ? [`keeps totals in a ${remote.name}`] : []),
    ];
    const reads = `${unread.name} in this directory was not read; it`;
    if (says.length > 0)
      return `${alone}; ${reads} ${says.join(' and ')}: add --config ${unread.name} to read those counts`;
  }
  if (!(await care.deliversElsewhere())) return undefined;
  return (
    `${alone}; it delivers them to a Redis, which may have more: pass the server's configuration with --config, or query the ` +
    'server with --url'
  );
}
