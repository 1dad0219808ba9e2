import { Command } from 'commander';
import { hashPassword } from '../identity/index.ts';
import type { Terminal } from './contract.ts';
import { readPassword } from './read-password.ts';

const hashHelp = `
Put what it prints into the configuration:
  users:
    alice: { passwordHash: "scrypt:...", email: alice@example.org }

Examples:
  $ tonnage user hash                    (asks for the password)
  $ tonnage user hash < password.txt     (one newline at the end is not part of it)`;

/** `tonnage user hash`. */
export function userCommand(terminal: Terminal): Command {
  const user = new Command('user').description('credentials of users');
  user
    .command('hash')
    .description('read a password from standard input and print its hash')
    .addHelpText('after', hashHelp)
    .action(async () => {
      const password = await readPassword(terminal);
      terminal.out(`${await hashPassword(password, terminal.random)}\n`);
    });
  return user;
}
