import { readFile } from 'node:fs/promises';
import type { Socket } from 'node:net';

/** Bytes in the kernel's send queue of each TCP connection, by `connectionKey`. */
export type KernelQueues = ReadonlyMap<string, number>;

export function connectionKey({ localPort, remotePort }: Pick<Socket, 'localPort' | 'remotePort'>): string {
  return `${localPort} ${remotePort}`;
}

/**
 * Reads the send queues from Linux's /proc; empty on other systems. Two clients on different machines may use the same
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

/** A line of /proc/net/tcp: number, local and remote address with port, state, send queue in bytes. */
const line = /^ *\d+: [\dA-F]+:([\dA-F]{4}) [\dA-F]+:([\dA-F]{4}) [\dA-F]{2} ([\dA-F]{8}):/gm;
