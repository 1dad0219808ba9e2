import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, runProgram, sleep, startProgram, type Program } from './program.ts';

/** PEM files of a server's certificate and of the authority that clients are to trust. */
export interface RedisCertificateFiles {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

export interface RedisOptions {
  /** The port to take; a free one, unless it is given. */
  readonly port?: number;
  /** Keep what was written over a kill: an append-only file, synced with every write. */
  readonly appendOnly?: boolean;
  /** Such as `20mb`. */
  readonly maxMemory?: string;
  readonly maxMemoryPolicy?: string;
  /** The password of the user `default`. */
  readonly password?: string;
  /** Further users, in the words of `ACL SETUSER`: `reader on >secret ~* +@read`. */
  readonly users?: readonly string[];
  /** The port then speaks TLS, and nothing else. */
  readonly tls?: RedisCertificateFiles;
  /** Port of the primary on the loopback address that this server is to copy. */
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
  /** The process as it is now: another one after `restart`. */
  readonly pid: number;
  /** Runs one command with redis-cli; answers what that prints, and fails with it for an error reply. */
  cli(...args: readonly string[]): Promise<string>;
  /** SIGTERM, and waits for the end. Fine when it has ended already. */
  stop(): Promise<void>;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** SIGSTOP: the kernel still takes connections, nobody answers. */
  pause(): void;
  resume(): void;
  /** Starts it again, on the same port and data, after `stop` or `kill`. */
  restart(): Promise<void>;
}

/** What is started: Debian's Redis, or the program that `TONNAGE_TEST_REDIS_SERVER` names, another release or a Valkey. */
const redisServer = process.env['TEST_REDIS_SERVER'] ?? 'redis-server';

/** The release that the program says it is, such as `[7, 0]`. */
export async function redisRelease(): Promise<readonly [major: number, minor: number]> {
  const { stdout } = await runProgram(redisServer, ['--version']);
  const [, major, minor] = /\bv=(\d+)\.(\d+)/.exec(stdout) ?? [];
  return [Number(major), Number(minor)];
}

/** Programs that are still to be ended when the process of the tests ends. */
const running = new Set<Program>();
process.once('exit', () => {
  for (const { child } of running) child.kill('SIGKILL');
});

/** Starts a server with its data in `directory`, which is made if need be. Whoever starts it stops it. */
export async function startRedis(directory: string, options: RedisOptions = {}): Promise<RedisServer> {
  mkdirSync(directory, { recursive: true });
  const socketPath = join(directory, 'redis.sock');
  const common = [...directives(directory, socketPath, options), options.tls ? '--tls-port' : '--port'];
  const { port, first } = await onFreePort(options.port, async (free) => {
    return { port: free, first: await startRedisProgram([...common, String(free)]) };
  });
  let program = first;

  const signal = async (name: NodeJS.Signals) => {
    program.child.kill('SIGCONT'); // a stopped process would keep SIGTERM for later
    await program.stop(name);
    running.delete(program);
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

/** Starts something on the port that is given or, again while somebody else is quicker to take it, on one that is free. */
async function onFreePort<T>(given: number | undefined, start: (port: number) => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await start(given ?? (await freePort()));
    } catch (error) {
      if (given !== undefined || tries === 5 || !String(error).includes('Address already in use')) throw error;
    }
  }
}

/** Starts the server's program with these arguments, waits until it answers, and sees to it that it does not outlive the tests. */
export async function startRedisProgram(args: readonly string[], ready = /Ready to accept connections/) {
  // Linux ends it itself with the process that started it, however that ends; elsewhere what can be done on exit is done.
  const program =
    process.platform === 'linux'
      ? startProgram('setpriv', ['--pdeathsig', 'KILL', redisServer, ...args])
      : startProgram(redisServer, args);
  running.add(program);
  try {
    await program.until(ready);
  } catch (error) {
    await stopRedisProgram(program);
    throw error;
  }
  return program;
}

/** Ends what `startRedisProgram` has started. */
export async function stopRedisProgram(program: Program): Promise<void> {
  program.child.kill('SIGCONT');
  await program.stop('SIGKILL');
  running.delete(program);
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
    '--repl-diskless-sync-delay', // copying begins at once, not after waiting whether more replicas come
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

/** Waits until `condition` holds; fails saying what was waited for. */
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
