import { stringify } from 'yaml';
import { z } from 'zod';
import type { Config, ConfigModel } from './schema.ts';

/**
 * The configuration as a YAML file that states every key, including those with their default value. Secrets are masked.
 * Once they are filled in, reading the file gives the same configuration.
 */
export function printConfig(config: Config, { complete }: ConfigModel): string {
  return stringify(z.encode(complete, config), withoutReferences, {
    aliasDuplicateObjects: false,
    lineWidth: 0,
  });
}

/** A reader of the file would replace a text that looks like a reference. */
function withoutReferences(_key: unknown, value: unknown): unknown {
  return typeof value === 'string' ? value.replaceAll('${', () => '$${') : value;
}
