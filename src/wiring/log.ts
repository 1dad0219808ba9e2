import { destination, pino } from 'pino';
import type { Log } from '../base/index.ts';
import type { Config } from '../config/index.ts';

/** The log of the process: JSON lines on standard output. */
export function createLog({ log: { level } }: Pick<Config, 'log'>): Log {
  const output = destination({ fd: 1, sync: true });
  // A log that cannot be written (a full disk, a closed terminal) must not stop the server.
  output.on('error', () => undefined);
  return pino({ level, base: { pid: process.pid } }, output);
}
