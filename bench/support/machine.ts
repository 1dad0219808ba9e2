import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';

/** The machine in one line: figures mean little without it. */
export function machineLine(): string {
  const [one = 0] = loadavg();
  const gib = (totalmem() / 2 ** 30).toFixed(0);
  return `${availableParallelism()} cores (${cpus()[0]?.model.trim() ?? 'unknown'}), ${gib} GiB, load ${one.toFixed(2)}, Node.js ${process.version}`;
}
