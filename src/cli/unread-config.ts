import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { loadConfig, type Config } from '../config/index.ts';
import { configFileOf, dataOf, isDataNamed } from './configuration.ts';
import type { Terminal } from './contract.ts';

/** How people call the file. */
const usualNames = ['tonnage.yaml', 'tonnage.yml'] as const;

/**
 * A configuration that lies where the command runs and that it does not read, since the command line names none: its name,
 * and what it says where it is valid. Nobody is told anything by this where there is none.
 */
export interface UnreadConfig {
  readonly name: string;
  readonly config?: Config;
}

/** Looks for a configuration in the working directory that `command` does not read. */
export function unreadConfig(command: Command, { environment, workingDirectory }: Terminal): UnreadConfig | undefined {
  if (configFileOf(command) !== undefined) return undefined;
  const name = usualNames.find((each) => existsSync(join(workingDirectory, each)));
  if (name === undefined) return undefined;
  try {
    return { name, config: loadConfig({ file: name, environment, workingDirectory }) };
  } catch {
    // Whoever means it will be told what is wrong with it.
    return { name };
  }
}

/** What to add to the news that something is not where it was looked for; nothing where the command line was clear. */
export function unreadHint(command: Command, terminal: Terminal): string {
  const unread = dataOf(command) === undefined ? unreadConfig(command, terminal) : undefined;
  return unread === undefined ? '' : `; ${unread.name}, which is here, is read only with --config ${unread.name}`;
}

/**
 * What to add to the news that there is no ledger: where nobody has said where the data are, the directory is most likely the
 * wrong one. `otherwise`: what else a command can do, such as `, or ask a server with --url`.
 */
export function whereHint(command: Command, terminal: Terminal, otherwise = ''): string {
  const unread = unreadHint(command, terminal);
  if (isDataNamed(command, terminal)) return unread;
  const either = otherwise === '' ? ', or' : ',';
  return `: name the data directory of the server with --data${either} its configuration with --config${otherwise}${unread}`;
}
