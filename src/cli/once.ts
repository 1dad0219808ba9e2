import type { Command } from 'commander';
import { UsageError } from './contract.ts';

/**
 * Lets each option of `command` that takes one value be given once. A second one is refused (`UsageError`) in the words in
 * which the API refuses a parameter that is there twice, under the name that `nameOf` has for a flag such as `--by`.
 */
export function once(command: Command, nameOf = (flag: string): string => flag): Command {
  for (const option of command.options) {
    if (option.variadic) continue;
    let given = false;
    command.on(`option:${option.name()}`, () => {
      if (given) throw new UsageError(`${nameOf(`--${option.name()}`)}: expected it once, got it several times`);
      given = true;
    });
  }
  return command;
}
