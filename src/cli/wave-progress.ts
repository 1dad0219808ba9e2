import type { Clock } from '../base/index.ts';
import { bar, barWidth, groupThousands } from './usage-table.ts';

/** Minimum milliseconds between updates: of a bar on a terminal, or of lines in a log. */
const shownEveryMs = { bar: 100, line: 5_000 } as const;

/** ECMA-48: return to the first column and erase the line. */
const anew = '\r\u{1b}[K';

interface ProgressOptions {
  readonly clock: Clock;
  /** Writes the output. */
  readonly say: (text: string) => void;
  /** Whether the output is a terminal. Default: false. */
  readonly interactive?: boolean;
  /** The unit. Default: `fields`. */
  readonly what?: () => string;
}

/** Shows progress. */
export interface Progress {
  /** May be called often; limits the updates itself. */
  update(done: number, total: number): void;
  /** Removes the bar. */
  end(): void;
}

/** Shows a bar on a terminal, otherwise a line every few seconds. `total` may grow and may be too small. */
export function createProgress({ clock, say, interactive = false, what = () => 'fields' }: ProgressOptions): Progress {
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
