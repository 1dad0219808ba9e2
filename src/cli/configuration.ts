import type { Command } from 'commander';
import { loadConfig, type Config, type ConfigDefaults, type ConfigFlags } from '../config/index.ts';
import { UsageError, type Terminal } from './contract.ts';

/** Options that every command takes, before or after its name. */
interface GlobalOptions {
  readonly config?: string;
  readonly configFile?: string;
  readonly data?: string;
}

/**
 * Defaults of `npm start`, which sets TONNAGE_START=1: something to look at, seen from this machine only. They are
 * defaults and not flags, so that a file, the environment and flags still go before them.
 */
const startDefaults: ConfigDefaults = { listen: '127.0.0.1:8080', metrics: '127.0.0.1:2112' };

/** The configuration file that the command line names, by either of the option's two names. */
export function configFileOf(command: Command): string | undefined {
  const { config, configFile } = command.optsWithGlobals<GlobalOptions>();
  if (config !== undefined && configFile !== undefined && config !== configFile) {
    throw new UsageError(`--config and --config-file mean the same, but name ${config} and ${configFile}`);
  }
  return config ?? configFile;
}

/** The data directory that the command line names. */
export function dataOf(command: Command): string | undefined {
  return command.optsWithGlobals<GlobalOptions>().data;
}

/** Whether somebody has said where the data are: where nobody has, a directory without a ledger is most likely the wrong one. */
export function isDataNamed(command: Command, { environment }: Pick<Terminal, 'environment'>): boolean {
  return [dataOf(command), configFileOf(command), environment['TONNAGE_DATA']].some((each) => each !== undefined);
}

/** The configuration that `command` runs with. Throws `ConfigError` with all that is wrong with it. */
export function configurationOf(command: Command, terminal: Terminal, flags: ConfigFlags = {}): Config {
  const file = configFileOf(command);
  const data = dataOf(command);
  return loadConfig({
    ...(file !== undefined && { file }),
    environment: terminal.environment,
    flags: { ...flags, ...(data !== undefined && { data }) },
    ...(terminal.environment['TONNAGE_START'] === '1' && { defaults: startDefaults }),
    workingDirectory: terminal.workingDirectory,
  });
}
