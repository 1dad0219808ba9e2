import { Command, CommanderError, Option } from 'commander';
import { messageOf, TonnageError } from '../base/index.ts';
import { collectCommand } from './collect.ts';
import { configCommand } from './config.ts';
import { exitCodes, NothingError, note, UsageError, type ExitCode, type Terminal } from './contract.ts';
import { debusineCommand } from './debusine.ts';
import { eventCommand } from './event.ts';
import { helpCommand } from './help.ts';
import { ledgerCommand } from './ledger.ts';
import { lintCommand } from './lint.ts';
import { serveCommand } from './serve.ts';
import { tokenCommand } from './token.ts';
import { usageCommand } from './usage.ts';
import { userCommand } from './user.ts';
import { waveCommand } from './wave.ts';

const help = `
Start with:
  $ tonnage serve                    a gateway on 127.0.0.1:8080, with its data in ./data
  $ tonnage usage pulls --by org     pulls by organisation
  $ tonnage help serve               more about a command

Exit codes: 0 done, 1 failed or found something, 2 wrong usage, 3 nothing has that name (collect, ledger erase).`;

/** Creates all commands. Global options may precede or follow the command's name. */
export function createProgram(terminal: Terminal): Command {
  const program = new Command('tonnage')
    .description('A usage meter for container registries: a caching pull-through gateway that counts pulls.')
    .version(terminal.version, '-V, --version', 'print the version')
    .option('-c, --config <file>', 'configuration file (YAML)')
    .addOption(new Option('--config-file <file>', 'the same as --config').hideHelp())
    .option('--data <directory>', 'data directory')
    .addHelpText('after', help)
    .addCommand(serveCommand(terminal))
    .addCommand(usageCommand(terminal))
    .addCommand(eventCommand(terminal))
    .addCommand(ledgerCommand(terminal))
    .addCommand(waveCommand(terminal, async (...options) => (await import('../offline.ts')).importWave(...options)))
    .addCommand(collectCommand(terminal))
    .addCommand(debusineCommand(terminal))
    .addCommand(configCommand(terminal))
    .addCommand(userCommand(terminal))
    .addCommand(tokenCommand(terminal))
    .addCommand(lintCommand(terminal))
    .helpCommand(false)
    .addCommand(helpCommand());
  for (const command of allCommands(program)) {
    command
      .exitOverride()
      .showSuggestionAfterError()
      .configureHelp({ showGlobalOptions: true })
      .helpOption('-h, --help', 'print this help');
    command.configureOutput({
      writeOut: (text) => terminal.out(text),
      writeErr: (text) => terminal.say(text),
      // One line that begins with `tonnage:`, as in all other errors.
      outputError: (text, write) =>
        write(
          `tonnage: ${text
            .replace(/^error: /, '')
            .trimEnd()
            .replaceAll('\n', ' ')}\n`,
        ),
    });
  }
  return program;
}

function allCommands(command: Command): readonly Command[] {
  return [command, ...command.commands.flatMap(allCommands)];
}

/**
 * Runs the command in `argv` (without interpreter and script) and resolves with the exit code. Prints errors in lines
 * that begin with `tonnage:`, with a stack trace only for bugs.
 */
export async function runCli(argv: readonly string[], terminal: Terminal): Promise<ExitCode> {
  try {
    await createProgram(terminal).parseAsync(argv, { from: 'user' });
    return exitCodes.done;
  } catch (thrown) {
    if (thrown instanceof CommanderError) return exitCodeOf(thrown);
    note(terminal, explain(thrown));
    if (thrown instanceof NothingError) return exitCodes.nothing;
    return thrown instanceof UsageError ? exitCodes.usage : exitCodes.failed;
  }
}

/** Commander has printed the message. Requested help is not an error; help because of a missing command is. */
function exitCodeOf(thrown: CommanderError): ExitCode {
  return thrown.exitCode === 0 ? exitCodes.done : exitCodes.usage;
}

function explain(thrown: unknown): string {
  const isOurs = [TonnageError, UsageError, NothingError].some((kind) => thrown instanceof kind);
  if (isOurs || isSystemError(thrown)) return messageOf(thrown);
  const trace = thrown instanceof Error ? thrown.stack : undefined;
  return `this is a bug, please report it: ${trace ?? messageOf(thrown)}`;
}

/** Whether the operating system reported the error, for example a full disk. */
function isSystemError(thrown: unknown): thrown is Error {
  return thrown instanceof Error && 'syscall' in thrown;
}
