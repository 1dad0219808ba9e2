import type { Command } from 'commander';
import { UsageError } from './contract.ts';

/**
 * Rejects a repeated option of `command` (`UsageError`), except variadic ones. The message is that of the API for a
 * repeated parameter. `nameOf` converts a flag such as `--by` to the name in the message.
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
