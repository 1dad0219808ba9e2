import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, readFileSync, realpathSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { root } from '../../scripts/test/tools.ts';
import { program as installed } from './installed.ts';
import { freePort, runProgram, type Program } from './program.ts';
import { commandAs, startTied } from './tied-program.ts';

export interface PostgresOptions {
  /** Settings of the server on top of those below, such as `{ work_mem: '64MB' }`. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** A real PostgreSQL on a port of its own, of the loopback address, with the superuser `postgres` and no passwords. */
export interface PostgresServer {
  readonly port: number;
  /** The folder of its Unix socket. */
  readonly socketDirectory: string;
  /** The current postmaster: another one after `restart`. */
  readonly pid: number;
  /** What the current process has logged. */
  output(): string;
  /** The connection string of a database, over TCP. Default of the role: `postgres`. */
  dsn(database: string, role?: string): string;
  /** Creates a database with a name of its own, runs the scripts in it, and returns the name. */
  createDatabase(...scripts: readonly string[]): Promise<string>;
  /**
   * Runs a script with psql, and returns what it prints: a line per row, columns separated by `|`. Fails at the first
   * statement that fails.
   */
  sql(database: string, script: string, role?: string): Promise<string>;
  /** Ends all connections and stops (a "fast shutdown"). Does nothing if it has ended already. */
  stop(): Promise<void>;
  /** Ends without a checkpoint, as after a crash (an "immediate shutdown"). */
  kill(): Promise<void>;
  /** Sends SIGSTOP to all its processes: the kernel still accepts connections, but nothing answers. */
  pause(): void;
  resume(): Promise<void>;
  /** Starts it again, on the same port and data, after `stop` or `kill`. */
  restart(): Promise<void>;
}

/** What makes a server of tests fast and small. The planner's settings are the defaults. */
const testSettings = {
  fsync: 'off',
  full_page_writes: 'off',
  synchronous_commit: 'off',
  autovacuum: 'off',
  wal_level: 'minimal',
  max_wal_senders: '0',
  shared_buffers: '16MB',
  max_connections: '20',
};

/** Debian's user for PostgreSQL. The server refuses to run as root. */
const serverUser = process.platform === 'linux' && process.getuid?.() === 0 ? 'postgres' : undefined;

/** The user's own settings of clients must not reach these tests. */
const clientSettings = Object.keys(process.env).filter((name) => name.startsWith('PG'));
const withoutClientSettings = Object.fromEntries(clientSettings.map((name) => [name, undefined]));

/** Path of a program of the server's release. The `psql` in PATH can be a wrapper that reads the machine's clusters. */
function serverProgram(name: string): string {
  return join(dirname(realpathSync(installed('postgres'))), name);
}

/** Starts a server with its data in `directory`, which is created if necessary. The caller stops it. */
export async function startPostgres(directory: string, options: PostgresOptions = {}): Promise<PostgresServer> {
  const data = join(directory, 'data');
  await makeData(directory, data);
  const settings = Object.entries({ ...testSettings, unix_socket_directories: directory, ...options.settings });
  const args = ['-D', data, ...settings.flatMap(([name, value]) => ['-c', `${name}=${value}`])];
  const { port, first } = await onFreePort(args);
  let program = first;
  let paused: ChildProcess | undefined;
  let databases = 0;

  const dsn = (database: string, role = 'postgres') => `postgresql://${role}@127.0.0.1:${port}/${database}`;
  const sql = async (database: string, script: string, role?: string) => {
    const quiet = ['--no-psqlrc', '--quiet', '--no-align', '--tuples-only', '--set', 'ON_ERROR_STOP=1'];
    const { stdout } = await runProgram(serverProgram('psql'), [...quiet, dsn(database, role)], {
      input: script,
      env: withoutClientSettings,
    });
    return stdout.trimEnd();
  };
  const resume = async () => {
    const keeper = paused;
    paused = undefined;
    if (keeper) await release(keeper);
  };
  const end = async (signal: NodeJS.Signals) => {
    await resume();
    await program.stop(signal);
  };
  return {
    port,
    socketDirectory: directory,
    get pid() {
      return program.child.pid ?? 0;
    },
    output: () => program.output(),
    dsn,
    sql,
    async createDatabase(...scripts) {
      const name = `test_${++databases}`;
      await sql('postgres', `CREATE DATABASE ${name}`);
      for (const script of scripts) await sql(name, script);
      return name;
    },
    stop: () => end('SIGINT'),
    kill: () => end('SIGQUIT'),
    pause() {
      paused ??= hold(program.child.pid ?? 0);
    },
    resume,
    async restart() {
      program = await startServer([...args, ...listening(port)]);
    },
  };
}

/** Creates the data of a new server: a copy of what the first test with this release of PostgreSQL has created. */
async function makeData(directory: string, data: string): Promise<void> {
  mkdirSync(directory, { recursive: true });
  const { stdout } = await runProgram(serverProgram('postgres'), ['--version']);
  const cache = join(root, 'node_modules', '.cache', 'tonnage-postgres');
  const template = join(cache, /\d[\d.]*/.exec(stdout)?.[0] ?? 'unknown');
  const isCached = existsSync(template);
  if (isCached) cpSync(template, data, { recursive: true });
  if (serverUser !== undefined) await runProgram('chown', ['--recursive', serverUser, directory]);
  if (isCached) return;
  const flags = [
    '--username=postgres',
    '--auth=trust',
    '--locale=C',
    '--encoding=UTF8',
    '--no-sync',
    '--wal-segsize=1',
  ];
  // In a working folder that the user may not enter, initdb would warn.
  await runProgram(...commandAs(serverUser, serverProgram('initdb'), [...flags, '-D', data]), { cwd: directory });
  keep(data, template);
}

/** Keeps a copy of the data for later tests, unless another test process was first or the checkout is read-only. */
function keep(data: string, template: string): void {
  const copy = `${template}.${process.pid}`;
  try {
    mkdirSync(dirname(template), { recursive: true });
    cpSync(data, copy, { recursive: true });
    renameSync(copy, template);
  } catch {
    rmSync(copy, { recursive: true, force: true });
  }
}

function listening(port: number): readonly string[] {
  return ['-c', 'listen_addresses=127.0.0.1', '-c', `port=${port}`];
}

/** Starts a server on a free port. Tries another one if a different process takes it first. */
async function onFreePort(args: readonly string[]): Promise<{ readonly port: number; readonly first: Program }> {
  for (let tries = 1; ; tries += 1) {
    const port = await freePort();
    try {
      return { port, first: await startServer([...args, ...listening(port)]) };
    } catch (error) {
      if (tries === 5 || !String(error).includes('Address already in use')) throw error;
    }
  }
}

async function startServer(args: readonly string[]): Promise<Program> {
  const options = { endsBy: 'SIGQUIT', user: serverUser, env: withoutClientSettings } as const;
  const program = startTied(serverProgram('postgres'), args, options);
  try {
    await program.until(/database system is ready to accept connections/);
  } catch (error) {
    await program.stop('SIGQUIT');
    throw error;
  }
  return program;
}

/**
 * Stops a postmaster and its children where they are. The returned shell lets them continue when its input closes, so that
 * they also end if the process of the tests is killed meanwhile.
 */
function hold(pid: number): ChildProcess {
  process.kill(pid, 'SIGSTOP'); // first, so that it starts no more children
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
  const all = [String(pid), ...children];
  for (const child of children) process.kill(Number(child), 'SIGSTOP');
  const script = 'read -r line; kill -CONT "$@"';
  return spawn('sh', ['-c', script, 'sh', ...all], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
}

async function release(keeper: ChildProcess): Promise<void> {
  const ended = once(keeper, 'close');
  keeper.stdin?.end();
  await ended;
}
