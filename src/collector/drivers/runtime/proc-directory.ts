import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { MetricFamily } from '../../../metric/index.ts';
import { counter, gauge, single } from './figure.ts';
import { NetworkBytes } from './network.ts';
import { parseIo, parseLimit, parseStat } from './proc-text.ts';

const sharedNetwork = 'of the network that the process is in, which others may share, loopback included.';
const figures = {
  virtual: gauge('process_virtual_memory_bytes', 'Size of the address space of the process.', 'bytes'),
  virtualMax: gauge(
    'process_virtual_memory_max_bytes',
    'Size that the address space of the process may grow to; infinite when there is no limit.',
    'bytes',
  ),
  threads: gauge('process_threads', 'Threads of the process, those of V8 and libuv included.'),
  openFiles: gauge('process_open_fds', 'Open file descriptors.'),
  maxFiles: gauge('process_max_fds', 'File descriptors that may be open at a time; infinite when there is no limit.'),
  storageRead: counter(
    'process_io_storage_read_bytes',
    'Bytes that were fetched from storage for the process; what the system had in its cache is not among them.',
    'bytes',
  ),
  storageWritten: counter(
    'process_io_storage_written_bytes',
    'Bytes that the process has caused to be written to storage.',
    'bytes',
  ),
  received: counter('process_network_receive_bytes', `Bytes received by all interfaces ${sharedNetwork}`, 'bytes'),
  transmitted: counter(
    'process_network_transmit_bytes',
    `Bytes transmitted by all interfaces ${sharedNetwork}`,
    'bytes',
  ),
};

/** What Linux tells of the process in `/proc/self`, under the names that Prometheus client libraries use. */
export class ProcDirectory {
  readonly #path: string;
  readonly #network = new NetworkBytes();

  /** What is not in the directory at `path`, or is written otherwise than expected, is left out. */
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
      // list itself contains the descriptor that it is read through.
      return statSync(path).size || readdirSync(path).length - 1;
    } catch {
      return undefined;
    }
  }

  /** The text of a file, empty where there is none. The kernel makes it up at once: reading waits for no disk. */
  #text(name: string): string {
    try {
      return readFileSync(join(this.#path, name), 'utf8');
    } catch {
      return '';
    }
  }
}
