import type { Command } from 'commander';
import type { Config, ConfigDefaults, ConfigFlags, ConfigReader } from '../config/index.ts';
import { UsageError, type Terminal } from './contract.ts';

/** Options of every command, before or after its name. */
interface GlobalOptions {
  readonly config?: string;
  readonly configFile?: string;
  readonly data?: string;
}

/** Defaults of `npm start` (TONNAGE_START=1): loopback listeners. The file, the environment and flags override them. */
const startDefaults: ConfigDefaults = { listen: '127.0.0.1:8080', metrics: '127.0.0.1:2112' };

/** The configuration file from `--config` or its alias `--config-file`. Throws `UsageError` if they differ. */
export function configFileOf(command: Command): string | undefined {
  const { config, configFile } = command.optsWithGlobals<GlobalOptions>();
  if (config !== undefined && configFile !== undefined && config !== configFile) {
    throw new UsageError(`--config-file is an alias of --config: expected one file, got ${config} and ${configFile}`);
  }
  return config ?? configFile;
}

/** The data directory from `--data`. */
export function dataOf(command: Command): string | undefined {
  return command.optsWithGlobals<GlobalOptions>().data;
}

/** Whether the data directory is stated. If not, a directory without a ledger is probably the wrong one. */
export function isDataNamed(command: Command, { environment }: Pick<Terminal, 'environment'>): boolean {
  return [dataOf(command), configFileOf(command), environment['TONNAGE_DATA']].some((each) => each !== undefined);
}

/** The reader of configurations, which knows the drivers of sources. Loaded lazily, so that other commands start faster. */
export async function configReader(): Promise<ConfigReader> {
  return (await import('../app.ts')).configReader;
}

/** Loads the configuration for a command. Rejects with `ConfigError`, which has all problems. */
export async function configurationOf(command: Command, terminal: Terminal, flags: ConfigFlags = {}): Promise<Config> {
  const file = configFileOf(command);
  const data = dataOf(command);
  return (await configReader()).load({
    ...(file !== undefined && { file }),
    environment: terminal.environment,
    flags: { ...flags, ...(data !== undefined && { data }) },
    ...(terminal.environment['TONNAGE_START'] === '1' && { defaults: startDefaults }),
    workingDirectory: terminal.workingDirectory,
  });
}
