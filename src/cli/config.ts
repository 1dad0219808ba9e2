import { Command } from 'commander';
import { configFileOf, configReader, configurationOf } from './configuration.ts';
import type { Terminal } from './contract.ts';

/** `tonnage config check | print | schema`. */
export function configCommand(terminal: Terminal): Command {
  const config = new Command('config').description('Check and print the configuration');

  config
    .command('check')
    .description('Validate file, environment and flags; print one line for each problem')
    .addHelpText('after', '\nExample:\n  $ tonnage config check --config tonnage.yaml')
    .action(async (_options: object, command: Command) => {
      await configurationOf(command, terminal);
      terminal.out(`${configFileOf(command) ?? 'configuration'}: ok\n`);
    });

  config
    .command('print')
    .description('Print the effective configuration with all defaults, as YAML; secrets are masked')
    .addHelpText('after', '\nExample:\n  $ TONNAGE_LISTEN=8081 tonnage config print --config tonnage.yaml')
    .action(async (_options: object, command: Command) => {
      const reader = await configReader();
      terminal.out(reader.print(await configurationOf(command, terminal)));
    });

  config
    .command('schema')
    .description('Print the JSON Schema of configuration files, for editors')
    .addHelpText('after', '\nExample:\n  $ tonnage config schema > tonnage.schema.json')
    .action(async () => {
      const { schema } = await configReader();
      terminal.out(`${JSON.stringify(schema, null, 2)}\n`);
    });

  return config;
}
