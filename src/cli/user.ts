import { Command } from 'commander';
import { hashPassword } from '../identity/index.ts';
import type { Terminal } from './contract.ts';
import { readPassword } from './read-password.ts';

const hashHelp = `
Name the file with the hash in the configuration, next to the configuration file:
  users:
    alice: { passwordHashFile: alice.hash, email: alice@example.org }

Examples:
  $ tonnage user hash > alice.hash       (asks for the password)
  $ tonnage user hash < password.txt     (removes one newline at the end)`;

/** `tonnage user hash`. */
export function userCommand(terminal: Terminal): Command {
  const user = new Command('user').description('Create password hashes');
  user
    .command('hash')
    .description('Read a password from standard input and print its hash')
    .addHelpText('after', hashHelp)
    .action(async () => {
      const password = await readPassword(terminal);
      terminal.out(`${await hashPassword(password, terminal.random)}\n`);
    });
  return user;
}
