import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** Figures by name, as a process answers them. Times are in milliseconds. */
export type Figures = Readonly<Record<string, number>>;

/** A process that collects a page whenever it is asked, so that its start is not measured. */
export interface PageProcess {
  /** Sends a request, which is one line, and returns the figures that come back. */
  ask(request: string): Promise<Figures>;
  stop(): Promise<void>;
}

/** Starts a process that answers each line of its input with a line of JSON. The caller stops it. */
export function startPageProcess(command: string, args: readonly string[]): PageProcess {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(child, 'close');
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async ask(request) {
      child.stdin.write(`${request}\n`);
      const line = await lines.next();
      if (line.done === true) throw new Error(`${command} ended without an answer to "${request}"`);
      return JSON.parse(line.value) as Figures;
    },
    async stop() {
      child.stdin.end();
      await ended;
    },
  };
}

/** The figure of this name. Throws if the process has not answered it. */
export function figure(figures: Figures, name: string): number {
  const value = figures[name];
  if (typeof value !== 'number') throw new Error(`expected the figure ${name}, got ${JSON.stringify(figures)}`);
  return value;
}
