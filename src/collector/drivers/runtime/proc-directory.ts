import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { MetricFamily } from '../../../metric/index.ts';
import { counter, gauge, single } from './figure.ts';
import { NetworkBytes } from './network.ts';
import { parseIo, parseLimit, parseStat } from './proc-text.ts';

const sharedNetwork = 'of the network namespace of the process, including loopback. Other processes may share it.';
const figures = {
  virtual: gauge('process_virtual_memory_bytes', 'Size of the address space of the process.'),
  virtualMax: gauge(
    'process_virtual_memory_max_bytes',
    'Maximum size of the address space of the process; infinite without a limit.',
  ),
  threads: gauge('process_threads', 'Threads of the process, including those of V8 and libuv.'),
  openFiles: gauge('process_open_fds', 'Open file descriptors.'),
  maxFiles: gauge('process_max_fds', 'Maximum number of open file descriptors; infinite without a limit.'),
  storageRead: counter(
    'process_io_storage_read_bytes',
    'Bytes read from storage for the process, excluding reads from the page cache.',
  ),
  storageWritten: counter('process_io_storage_written_bytes', 'Bytes written to storage for the process.'),
  received: counter('process_network_receive_bytes', `Bytes received by all interfaces ${sharedNetwork}`),
  transmitted: counter('process_network_transmit_bytes', `Bytes transmitted by all interfaces ${sharedNetwork}`),
};

/** Figures of the process from Linux's `/proc/self`, with the names of Prometheus client libraries. */
export class ProcDirectory {
  readonly #path: string;
  readonly #network = new NetworkBytes();

  /** Omits figures whose files are missing from the directory `path` or have an unexpected format. */
  constructor(path: string) {
    this.#path = path;
  }

  families(): MetricFamily[] {
    const stat = parseStat(this.#text('stat'));
    const limits = this.#text('limits');
    const io = this.#text('io');
    const interfaces = this.#text('net/dev');
    const network = interfaces === '' ? undefined : this.#network.read(interfaces);
    return [
      ...single(figures.virtual, stat?.virtualBytes),
      ...single(figures.virtualMax, parseLimit(limits, 'Max address space')),
      ...single(figures.threads, stat?.threads),
      ...single(figures.openFiles, this.#openFiles()),
      ...single(figures.maxFiles, parseLimit(limits, 'Max open files')),
      ...single(figures.storageRead, parseIo(io, 'read_bytes')),
      ...single(figures.storageWritten, parseIo(io, 'write_bytes')),
      ...single(figures.received, network?.received),
      ...single(figures.transmitted, network?.transmitted),
    ];
  }

  #openFiles(): number | undefined {
    const path = join(this.#path, 'fd');
    try {
      // Since Linux 6.2 the size of the directory is the number of its entries (proc_pid_fd(5)); before, it is 0. The
      // list includes the descriptor that it is read through.
      return statSync(path).size || readdirSync(path).length - 1;
    } catch {
      return undefined;
    }
  }

  /** The text of a file; empty if missing. The kernel generates it in memory, so reading does not wait for a disk. */
  #text(name: string): string {
    try {
      return readFileSync(join(this.#path, name), 'utf8');
    } catch {
      return '';
    }
  }
}
