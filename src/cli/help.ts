import { Command } from 'commander';
import { nearest } from '../config/index.ts';

/**
 * `tonnage help [command...]`: prints the help of a command, including subcommands (`tonnage help event send`).
 * Commander's own help command ignores the second name.
 */
export function helpCommand(): Command {
  const help = new Command('help')
    .description('Print the help of a command')
    .argument('[command...]', 'name of the command, such as: event send');
  return help.action((names: readonly string[]) => {
    let found = topOf(help);
    for (const name of names) found = commandBelow(found, name);
    found.help();
  });
}

function topOf(command: Command): Command {
  return command.parent === null ? command : topOf(command.parent);
}

function commandBelow(parent: Command, name: string): Command {
  const found = parent.commands.find((each) => each.name() === name);
  if (found) return found;
  const meant = nearest(
    name,
    parent.commands.map((each) => each.name()),
  );
  return parent.error(`unknown command '${name}'${meant === undefined ? '' : ` (Did you mean ${meant}?)`}`);
}
