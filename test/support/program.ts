import { spawn, type ChildProcess } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export { sleep };

/** A running program under test, and its output so far. */
export interface Program {
  readonly child: ChildProcess;
  /** Standard output and standard error together, so far. */
  output(): string;
  /** Waits until the output matches, and returns the match. Fails if the program ends first, or after `waitMs`. */
  until(pattern: RegExp, waitMs?: number): Promise<RegExpExecArray>;
  /** Sends `signal` and returns the exit code (`null` after a fatal signal). Does nothing if the program has ended already. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

/** Starts a program. The caller stops it. */
export function startProgram(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Program {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
  const exited = once(child, 'close').catch((error: unknown) => {
    printed += `\n${String(error)}`;
    return [-1];
  }) as Promise<[number | null]>;
  let printed = '';
  child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  let ended = false;
  void exited.then(() => (ended = true));

  return {
    child,
    output: () => printed,
    async until(pattern, waitMs = 60_000) {
      const deadline = performance.now() + waitMs;
      for (;;) {
        const match = pattern.exec(printed);
        if (match) return match;
        if (ended || performance.now() > deadline) {
          throw new Error(
            `${command} ${ended ? 'ended' : 'is still running'} without printing ${pattern}:\n${printed}`,
          );
        }
        await sleep(20);
      }
    },
    async stop(signal = 'SIGTERM') {
      if (!ended) child.kill(signal);
      const [code] = await exited;
      return code;
    },
  };
}

/** Runs a program to its end and returns its output. Fails with the output unless the exit code is `expected`. */
export async function runProgram(
  command: string,
  args: readonly string[],
  options: {
    readonly input?: string;
    readonly expected?: number;
    readonly env?: NodeJS.ProcessEnv;
    readonly cwd?: string;
  } = {},
): Promise<{ readonly stdout: string; readonly stderr: string }> {
  const child = spawn(command, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...options.env },
    cwd: options.cwd,
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.input ?? '');
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== (options.expected ?? 0)) {
    throw new Error(`${command} ${args.join(' ')} exited with ${code}:\n${stdout}\n${stderr}`);
  }
  return { stdout, stderr };
}

/** The peak resident memory of a process so far, in bytes (Linux's VmHWM). */
export function peakMemoryBytes(pid: number): number {
  const match = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(match?.[1]) * 1024;
}

/**
 * Ports below those that Linux gives to outgoing connections by default, so that a restarted server can take its port again.
 */
const portMin = 12_000;
const portsMax = 20_000;
/** Test processes search different ports, so that none takes a port that another one has just found. */
const lanes = 16;
const lane = Number(process.env['VITEST_POOL_ID'] ?? process.pid) % lanes;
let place = randomInt(portsMax / lanes);

/** A free port on the loopback address, another one each time, for programs that cannot choose a port themselves. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < portsMax / lanes; tries++) {
    place = (place + 1) % (portsMax / lanes);
    const port = portMin + place * lanes + lane;
    if (await isFree(port)) return port;
  }
  throw new Error(`no port of ${portMin} to ${portMin + portsMax - 1} is free`);
}

function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/** Addresses (`ADDRESS:PORT` or `[IPV6]:PORT`) that a process listens on, as Linux lists them. */
export function listeningAddresses(pid: number): readonly string[] {
  const sockets = new Set(readdirSync(`/proc/${pid}/fd`).map((fd) => linkOf(`/proc/${pid}/fd/${fd}`)));
  const listening = '0A';
  return (
    ['tcp', 'tcp6']
      .map((table) => `/proc/${pid}/net/${table}`)
      // A machine without IPv6 has no tcp6.
      .flatMap((file) => (existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(1) : []))
      .map((line) => line.trim().split(/\s+/))
      .filter(([, , , state, , , , , , inode]) => state === listening && sockets.has(`socket:[${inode}]`))
      .map(([, local = '']) => {
        const [address = '', port = ''] = local.split(':');
        return `${addressOf(address)}:${Number.parseInt(port, 16)}`;
      })
      .toSorted()
  );
}

/** An address of Linux's tables: words of 32 bits in hexadecimal, each with its last byte first. */
function addressOf(hex: string): string {
  const words = hex.match(/.{8}/g) ?? [];
  const bytes = words.flatMap((word) => word.match(/../g)?.toReversed() ?? []);
  if (bytes.length === 4) return bytes.map((byte) => Number.parseInt(byte, 16)).join('.');
  const groups = bytes.join('').match(/.{4}/g) ?? [];
  return new URL(`http://[${groups.join(':')}]`).hostname;
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    // Closed since it was listed.
    return '';
  }
}
