import { loadConfig, type LoadOptions } from './load.ts';
import { printConfig } from './print.ts';
import { readConfig, type ReadOptions } from './read.ts';
import { createModel, type Config, type ConfigModel } from './schema.ts';
import type { SourceDrivers } from './source-driver.ts';

/** Reads the configurations of a program. */
export interface ConfigReader {
  /** The JSON Schema (2020-12) of a configuration file: each key with its description and default. */
  readonly schema: ConfigModel['json'];
  /**
   * Reads the configuration file, if one is stated, and returns the configuration of this process. Throws `ConfigError`,
   * whose problems name file, line, column and key.
   */
  load(options: LoadOptions): Config;
  /** As `load`, but only `readSecret` does I/O. */
  read(options: ReadOptions): Config;
  /** The configuration as a YAML file that states every key. Secrets are masked. */
  print(config: Config): string;
}

/** `drivers` are the drivers that a source may name. They declare their own keys. */
export function createConfigReader(drivers: SourceDrivers): ConfigReader {
  const model = createModel(drivers);
  return {
    schema: model.json,
    load: (options) => loadConfig(options, model),
    read: (options) => readConfig(options, model),
    print: (config) => printConfig(config, model),
  };
}
