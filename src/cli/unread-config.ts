import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import type { Config } from '../config/index.ts';
import { configFileOf, configReader, dataOf, isDataNamed } from './configuration.ts';
import type { Terminal } from './contract.ts';

/** Usual names of configuration files. */
const usualNames = ['tonnage.yaml', 'tonnage.yml'] as const;

/** A configuration file in the working directory that the command does not read, because `--config` is missing. */
interface UnreadConfig {
  readonly name: string;
  readonly config?: Config;
}

/** Finds a configuration file in the working directory that `command` does not read. */
export async function unreadConfig(
  command: Command,
  { environment, workingDirectory }: Terminal,
): Promise<UnreadConfig | undefined> {
  if (configFileOf(command) !== undefined) return undefined;
  const name = usualNames.find((each) => existsSync(join(workingDirectory, each)));
  if (name === undefined) return undefined;
  try {
    return { name, config: (await configReader()).load({ file: name, environment, workingDirectory }) };
  } catch {
    // Its problems are reported once it is passed with --config.
    return { name };
  }
}

/** Ends the error for a missing ledger with a hint at an unread configuration file; empty if there is none or --data is given. */
export async function unreadHint(command: Command, terminal: Terminal): Promise<string> {
  const unread = dataOf(command) === undefined ? await unreadConfig(command, terminal) : undefined;
  return unread === undefined ? '' : `; ${unread.name} in this directory is read only with --config ${unread.name}`;
}

/**
 * Ends the error for a missing ledger with a hint how to state the data directory, if it is not stated. `otherwise`: a
 * further possibility, such as `, or query a server with --url`.
 */
export async function whereHint(command: Command, terminal: Terminal, otherwise = ''): Promise<string> {
  const unread = await unreadHint(command, terminal);
  if (isDataNamed(command, terminal)) return unread;
  const either = otherwise === '' ? ', or' : ',';
  return `: pass the server's data directory with --data${either} its configuration with --config${otherwise}${unread}`;
}
