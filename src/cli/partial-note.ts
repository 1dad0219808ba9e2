import type { Command } from 'commander';
import type { Config } from '../config/index.ts';
import { dataOf } from './configuration.ts';
import type { Terminal } from './contract.ts';
import { unreadConfig } from './unread-config.ts';

/**
 * What to tell somebody who reads the totals of a ledger's own file although a server may tell more, from a Redis or from
 * another directory, and how to read that; `undefined` where there is nothing of that kind.
 */
export async function partialNote(config: Config, command: Command, terminal: Terminal): Promise<string | undefined> {
  const { remoteOf } = await import('../app.ts');
  const { openLedgerCare } = await import('../offline.ts');
  const care = await openLedgerCare(config);
  if (care.remote !== undefined) return undefined;
  const alone = `these are the counts of the ledger in ${config.data} alone`;
  const unread = unreadConfig(command, terminal);
  // Whoever names another directory than the file does means another ledger.
  const isAbout = unread?.config?.data === config.data || dataOf(command) === undefined;
  if (unread?.config !== undefined && isAbout) {
    const { data } = unread.config;
    const remote = await remoteOf(unread.config);
    const says = [
      ...(data === config.data ? [] : [`has its data in ${data}`]),
      ...(remote ? [`keeps totals in a ${remote.name}`] : []),
    ];
    const reads = `${unread.name}, which is here and was not read`;
    if (says.length > 0)
      return `${alone}; ${reads}, ${says.join(' and ')}: add --config ${unread.name} for what is there`;
  }
  if (!(await care.deliversElsewhere())) return undefined;
  return (
    `${alone}; it delivers them to a Redis, which may hold more: name the server's configuration with --config, or ask the ` +
    'server with --url'
  );
}
