import type { Clock } from '../base/index.ts';
import { bar, groupThousands } from './usage-table.ts';

/** How often progress is shown: on a terminal as a bar that moves, elsewhere (in a log) as a line now and then. */
const shownEveryMs = { bar: 100, line: 5_000 } as const;

const barWidth = 20;
/** ECMA-48: back to the first column, and erase to the end of the line. */
const anew = '\r\u{1b}[K';

export interface ProgressOptions {
  readonly clock: Clock;
  /** Where it is shown. */
  readonly say: (text: string) => void;
  /** What is shown can be drawn anew. */
  readonly interactive: boolean;
  /** What is counted. Default: `fields`. */
  readonly what?: () => string;
}

/** Shows how far something is. */
export interface Progress {
  /** Call it as often as there is news; it decides what is shown. */
  update(done: number, total: number): void;
  /** Takes the bar away. */
  end(): void;
}

/** A bar on a terminal, else a line every few seconds. `total` may grow, and be too small. */
export function createProgress({ clock, say, interactive, what = () => 'fields' }: ProgressOptions): Progress {
  let shownAt = interactive ? -Infinity : clock.monotonic();
  let drawn = false;
  return {
    update(done, total) {
      const now = clock.monotonic();
      if (now - shownAt < (interactive ? shownEveryMs.bar : shownEveryMs.line)) return;
      shownAt = now;
      const all = Math.max(done, total, 1);
      const percent = `${Math.floor((done / all) * 100)}%`.padStart(4);
      const fields = `${groupThousands(BigInt(done))} of ${groupThousands(BigInt(all))} ${what()}`;
      drawn = interactive;
      say(
        interactive
          ? `${anew}[${bar(BigInt(done), BigInt(all), 'ascii').padEnd(barWidth)}] ${percent}  ${fields}`
          : `${percent.trimStart()}: ${fields}\n`,
      );
    },
    end() {
      if (drawn) say(anew);
    },
  };
}
