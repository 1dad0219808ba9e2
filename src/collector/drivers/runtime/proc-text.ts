/** Parsers for the files of `/proc/<pid>` (Linux, proc_pid(5)). */

/** Figures of `stat`. */
interface ProcStat {
  readonly threads: number;
  readonly virtualBytes: number;
}

/** Parses `stat`: fields separated by spaces. The second field is in parentheses and may contain any characters. */
export function parseStat(text: string): ProcStat | undefined {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const threads = numberOf(fields[17]);
  const virtualBytes = numberOf(fields[20]);
  return threads === undefined || virtualBytes === undefined ? undefined : { threads, virtualBytes };
}

/** The soft limit in one line of `limits`; infinite for `unlimited`. */
export function parseLimit(text: string, name: string): number | undefined {
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${name}  `));
  const soft = line?.slice(name.length).trim().split(/\s+/, 1)[0];
  return soft === 'unlimited' ? Infinity : numberOf(soft);
}

/** A number of `io`, whose lines are `name: number`. */
export function parseIo(text: string, name: string): number | undefined {
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${name}: `));
  return numberOf(line?.slice(name.length + 2));
}

/** Parses `net/dev`: bytes received and transmitted by each network interface. */
export function parseNetDev(text: string): Map<string, { readonly received: number; readonly transmitted: number }> {
  const interfaces = new Map<string, { readonly received: number; readonly transmitted: number }>();
  // The first two lines are headings. The first number may follow the colon after the interface's name without a space.
  for (const line of text.split('\n').slice(2)) {
    const colon = line.lastIndexOf(':');
    const numbers = line
      .slice(colon + 1)
      .trim()
      .split(/\s+/);
    const received = numberOf(numbers[0]);
    const transmitted = numberOf(numbers[8]);
    if (colon < 0 || received === undefined || transmitted === undefined) continue;
    interfaces.set(line.slice(0, colon).trim(), { received, transmitted });
  }
  return interfaces;
}

function numberOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}
