import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { program as installed } from './installed.ts';
import { freePort, runProgram, type Program } from './program.ts';
import { commandAs, startTied } from './tied-program.ts';

/** A real MariaDB on a port of its own, of the loopback address, with the user `tonnage` and the password `correct-horse`. */
export interface MariadbServer {
  readonly port: number;
  readonly socketPath: string;
  /** The connection string of a database, over TCP. */
  dsn(database: string): string;
  /** Creates a database with a name of its own, runs the scripts in it, and returns the name. */
  createDatabase(...scripts: readonly string[]): Promise<string>;
  /** Runs a script as root, and returns what it prints: a line per row, columns separated by tabs. */
  sql(database: string, script: string): Promise<string>;
  /** Ends it. Does nothing if it has ended already. */
  stop(): Promise<void>;
  /** Starts it again, on the same port and data. */
  restart(): Promise<void>;
}

/** Debian's user for MariaDB. The server refuses to run as root. */
const serverUser = process.platform === 'linux' && process.getuid?.() === 0 ? 'mysql' : undefined;

/** What makes a server of tests fast and small. No option file of the machine is read. */
const testSettings = [
  '--no-defaults',
  '--innodb-flush-log-at-trx-commit=0',
  '--innodb-buffer-pool-size=16M',
  '--innodb-log-file-size=4M',
  '--skip-log-bin',
  '--skip-name-resolve',
  '--bind-address=127.0.0.1',
];

/** Starts a server with its data in `directory`, which is created if necessary. The caller stops it. */
export async function startMariadb(directory: string): Promise<MariadbServer> {
  mkdirSync(directory, { recursive: true });
  const data = join(directory, 'data');
  const socketPath = join(directory, 's');
  if (serverUser !== undefined) await runProgram('chown', [serverUser, directory]);
  const install = ['--no-defaults', `--datadir=${data}`, '--skip-test-db', '--auth-root-authentication-method=normal'];
  const env = { TMPDIR: directory };
  await runProgram(...commandAs(serverUser, installed('mariadb-install-db'), install), { cwd: directory, env });
  const port = await freePort();
  const args = [
    ...testSettings,
    `--datadir=${data}`,
    `--socket=${socketPath}`,
    `--port=${port}`,
    `--tmpdir=${directory}`,
  ];
  let program = await startServer(args);
  let databases = 0;

  const sql = async (database: string, script: string) => {
    const client = [
      '--no-defaults',
      `--socket=${socketPath}`,
      '--user=root',
      '--batch',
      '--skip-column-names',
      database,
    ];
    const { stdout } = await runProgram(installed('mariadb'), client, { input: script });
    return stdout.trimEnd();
  };
  await sql('mysql', `CREATE USER tonnage IDENTIFIED BY 'correct-horse'; GRANT ALL ON \`test\\_%\`.* TO tonnage`);
  return {
    port,
    socketPath,
    dsn: (database) => `mariadb://tonnage:correct-horse@127.0.0.1:${port}/${database}`,
    sql,
    async createDatabase(...scripts) {
      const name = `test_${++databases}`;
      await sql('mysql', `CREATE DATABASE ${name} CHARACTER SET utf8mb4`);
      for (const script of scripts) await sql(name, script);
      return name;
    },
    async stop() {
      await program.stop('SIGTERM');
    },
    async restart() {
      program = await startServer(args);
    },
  };
}

async function startServer(args: readonly string[]): Promise<Program> {
  const program = startTied(installed('mariadbd'), args, { user: serverUser });
  try {
    await program.until(/ready for connections/);
  } catch (error) {
    await program.stop('SIGKILL');
    throw error;
  }
  return program;
}
