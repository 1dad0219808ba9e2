import { readFile } from 'node:fs/promises';
import type { Socket } from 'node:net';

/** Bytes of each TCP connection that the system holds because the other side has not taken them; by `connectionKey`. */
export type KernelQueues = ReadonlyMap<string, number>;

/** What a connection is found by in `KernelQueues`. */
export function connectionKey({ localPort, remotePort }: Pick<Socket, 'localPort' | 'remotePort'>): string {
  return `${localPort} ${remotePort}`;
}

/**
 * Reads these queues, which Linux shows below /proc; empty where it cannot. Two clients on other machines may have the same
 * port: their queues are added up.
 */
export async function readKernelQueues(): Promise<KernelQueues> {
  const tables = await Promise.all(
    ['/proc/net/tcp', '/proc/net/tcp6'].map((file) => readFile(file, 'latin1').catch(() => '')),
  );
  const queues = new Map<string, number>();
  for (const [, local = '', remote = '', queue = ''] of tables.join('\n').matchAll(line)) {
    const key = connectionKey({ localPort: Number.parseInt(local, 16), remotePort: Number.parseInt(remote, 16) });
    queues.set(key, (queues.get(key) ?? 0) + Number.parseInt(queue, 16));
  }
  return queues;
}

/** A line of these tables: number, local and remote address with port, state, and the queue of bytes to send. */
const line = /^ *\d+: [\dA-F]+:([\dA-F]{4}) [\dA-F]+:([\dA-F]{4}) [\dA-F]{2} ([\dA-F]{8}):/gm;
