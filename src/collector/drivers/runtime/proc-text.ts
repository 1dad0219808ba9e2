/** What the files of `/proc/<pid>` say (Linux, proc_pid(5)): pure functions of their texts. */

/** What `stat` says. */
export interface ProcStat {
  readonly threads: number;
  readonly virtualBytes: number;
}

/** Reads `stat`: fields with spaces between, the second in parentheses that may hold anything, parentheses too. */
export function parseStat(text: string): ProcStat | undefined {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const threads = numberOf(fields[17]);
  const virtualBytes = numberOf(fields[20]);
  return threads === undefined || virtualBytes === undefined ? undefined : { threads, virtualBytes };
}

/** The soft limit of one line of `limits`; infinite when it says `unlimited`. */
export function parseLimit(text: string, name: string): number | undefined {
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${name}  `));
  const soft = line?.slice(name.length).trim().split(/\s+/, 1)[0];
  return soft === 'unlimited' ? Infinity : numberOf(soft);
}

/** One number of `io`, whose lines are `name: number`. */
export function parseIo(text: string, name: string): number | undefined {
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${name}: `));
  return numberOf(line?.slice(name.length + 2));
}

/** Bytes that each network interface has received and transmitted, by `net/dev`. */
export function parseNetDev(text: string): Map<string, { readonly received: number; readonly transmitted: number }> {
  const interfaces = new Map<string, { readonly received: number; readonly transmitted: number }>();
  // The first two lines are headings. An interface's name ends with a colon, which its first number may follow at once.
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
