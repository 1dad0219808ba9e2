import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, runProgram, sleep, type Program } from './program.ts';
import { startTied } from './tied-program.ts';

/** PEM files of a server's certificate and of the authority that clients must trust. */
export interface RedisCertificateFiles {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

export interface RedisOptions {
  /** Default: a free port. */
  readonly port?: number;
  /** Writes survive a kill: an append-only file, synced with every write. */
  readonly appendOnly?: boolean;
  /** Such as `20mb`. */
  readonly maxMemory?: string;
  readonly maxMemoryPolicy?: string;
  /** The password of the user `default`. */
  readonly password?: string;
  /** Further users, in the syntax of `ACL SETUSER`: `reader on >secret ~* +@read`. */
  readonly users?: readonly string[];
  /** The port accepts only TLS. */
  readonly tls?: RedisCertificateFiles;
  /** Port of the primary on the loopback address whose replica this server is. */
  readonly replicaOf?: number;
  /** Any further directives, such as `--min-replicas-to-write 1`. */
  readonly directives?: readonly string[];
}

/** A real Redis on a port of its own, of the loopback address. */
export interface RedisServer {
  readonly port: number;
  /** `redis://` or `rediss://`, without credentials. */
  readonly url: string;
  /** Path of the Unix socket that it listens on as well. */
  readonly socketPath: string;
  /** The current process: another one after `restart`. */
  readonly pid: number;
  /** Runs one command with redis-cli and returns its output. Fails with the output for an error reply. */
  cli(...args: readonly string[]): Promise<string>;
  /** Sends SIGTERM and waits for the end. Does nothing if it has ended already. */
  stop(): Promise<void>;
  /** Sends SIGKILL and waits for the end. */
  kill(): Promise<void>;
  /** Sends SIGSTOP: the kernel still accepts connections, but the server does not answer. */
  pause(): void;
  resume(): void;
  /** Starts it again, on the same port and data, after `stop` or `kill`. */
  restart(): Promise<void>;
}

/** Debian's Redis, or the program that `TONNAGE_TEST_REDIS_SERVER` names: another release, or a Valkey. */
const redisServer = process.env['TEST_REDIS_SERVER'] ?? 'redis-server';

/** The release of the program, such as `[7, 0]`. */
export async function redisRelease(): Promise<readonly [major: number, minor: number]> {
  const { stdout } = await runProgram(redisServer, ['--version']);
  const [, major, minor] = /\bv=(\d+)\.(\d+)/.exec(stdout) ?? [];
  return [Number(major), Number(minor)];
}

/** Starts a server with its data in `directory`, which is created if necessary. The caller stops it. */
export async function startRedis(directory: string, options: RedisOptions = {}): Promise<RedisServer> {
  mkdirSync(directory, { recursive: true });
  const socketPath = join(directory, 'redis.sock');
  const common = [...directives(directory, socketPath, options), options.tls ? '--tls-port' : '--port'];
  const { port, first } = await onFreePort(options.port, async (free) => {
    return { port: free, first: await startRedisProgram([...common, String(free)]) };
  });
  let program = first;

  const signal = async (name: NodeJS.Signals) => {
    program.child.kill('SIGCONT'); // a paused process handles SIGTERM only later
    await program.stop(name);
  };
  return {
    port,
    url: `${options.tls ? 'rediss' : 'redis'}://127.0.0.1:${port}`,
    socketPath,
    get pid() {
      return program.child.pid ?? 0;
    },
    cli: (...command) => redisCli(port, command, options),
    stop: () => signal('SIGTERM'),
    kill: () => signal('SIGKILL'),
    pause: () => void program.child.kill('SIGSTOP'),
    resume: () => void program.child.kill('SIGCONT'),
    async restart() {
      program = await startRedisProgram([...common, String(port)]);
    },
  };
}

/** Starts a server on the given port, or on a free one; tries another one if a different process takes it first. */
async function onFreePort<T>(given: number | undefined, start: (port: number) => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await start(given ?? (await freePort()));
    } catch (error) {
      if (given !== undefined || tries === 5 || !String(error).includes('Address already in use')) throw error;
    }
  }
}

/** Starts the server's program with these arguments, waits until it is ready, and kills it if the tests exit. */
export async function startRedisProgram(args: readonly string[], ready = /Ready to accept connections/) {
  const program = startTied(redisServer, args);
  try {
    await program.until(ready);
  } catch (error) {
    await stopRedisProgram(program);
    throw error;
  }
  return program;
}

/** Stops a program that `startRedisProgram` has started. */
export async function stopRedisProgram(program: Program): Promise<void> {
  program.child.kill('SIGCONT');
  await program.stop('SIGKILL');
}

/** Runs one command with redis-cli on a port of the loopback address. */
export async function redisCli(
  port: number,
  command: readonly string[],
  { tls, password }: Pick<RedisOptions, 'tls' | 'password'> = {},
): Promise<string> {
  const secure = tls ? ['--tls', '--cacert', tls.ca] : [];
  const args = ['-e', '-h', '127.0.0.1', '-p', String(port), ...secure, ...command];
  const env = password === undefined ? {} : { REDISCLI_AUTH: password };
  const { stdout } = await runProgram('redis-cli', args, { env });
  return stdout.trimEnd();
}

function directives(directory: string, socketPath: string, options: RedisOptions): readonly string[] {
  const { tls } = options;
  return [
    '--bind',
    '127.0.0.1',
    '--dir',
    directory,
    '--save',
    '',
    '--unixsocket',
    socketPath,
    '--repl-diskless-sync-delay', // start to copy at once, without waiting for more replicas
    '0',
    ...(options.appendOnly ? ['--appendonly', 'yes', '--appendfsync', 'always'] : []),
    ...(options.maxMemory === undefined ? [] : ['--maxmemory', options.maxMemory]),
    ...(options.maxMemoryPolicy === undefined ? [] : ['--maxmemory-policy', options.maxMemoryPolicy]),
    ...(options.password === undefined ? [] : ['--requirepass', options.password]),
    ...(options.users ?? []).flatMap((user) => ['--user', ...user.split(' ')]),
    ...(options.replicaOf === undefined ? [] : ['--replicaof', '127.0.0.1', String(options.replicaOf)]),
    ...(tls ? ['--port', '0', '--tls-cert-file', tls.cert, '--tls-key-file', tls.key, '--tls-auth-clients', 'no'] : []),
    ...(tls ? ['--tls-ca-cert-file', tls.ca] : []),
    ...(options.directives ?? []),
  ];
}

/** Waits until `condition` is true. Fails with `what` after `waitMs`. */
export async function eventually(
  what: string,
  condition: () => Promise<boolean> | boolean,
  waitMs = 60_000,
): Promise<void> {
  const deadline = performance.now() + waitMs;
  for (;;) {
    if (await condition()) return;
    if (performance.now() > deadline) throw new Error(`${what}: not within ${waitMs} ms`);
    await sleep(25);
  }
}
