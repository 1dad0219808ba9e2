import type { Command } from 'commander';
import { systemClock, systemRandom } from '../../src/base/index.ts';
import { createProgram } from '../../src/cli/program.ts';

/** Columns of the help text without a terminal. */
const helpWidth = 80;

/** The help of every command under its own heading. Options that all commands share are in the program's help only. */
export function commandsText(): string {
  let printed = '';
  const program = createProgram({
    environment: {},
    workingDirectory: '.',
    input: process.stdin,
    out: (text) => void (printed += text),
    say: () => undefined,
    onSignals: () => () => undefined,
    end: () => undefined,
    clock: systemClock,
    random: systemRandom,
    version: '',
  });
  const helpOf = (command: Command): string => {
    printed = '';
    command.configureOutput({ getOutHelpWidth: () => helpWidth });
    if (command !== program) command.configureHelp({ showGlobalOptions: false });
    command.outputHelp();
    return printed.trim();
  };
  return withNames(program)
    .map(([name, command]) => `## \`${name}\`\n\n\`\`\`text\n${helpOf(command)}\n\`\`\``)
    .join('\n\n');
}

/** A command and its subcommands, each with its full name. Omits commands that only hold subcommands. */
function withNames(command: Command, before = ''): readonly [name: string, command: Command][] {
  const name = `${before}${command.name()}`;
  const below = command.commands.flatMap((each) => withNames(each, `${name} `));
  const holdsOthers = before !== '' && below.length > 0;
  return holdsOthers ? below : [[name, command], ...below];
}
