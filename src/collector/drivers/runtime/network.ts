import { parseNetDev } from './proc-text.ts';

/** Sums the bytes of all network interfaces. Totals never fall, even if an interface disappears or restarts at 0. */
export class NetworkBytes {
  #received = 0;
  #transmitted = 0;
  #last: ReturnType<typeof parseNetDev> = new Map();

  /** Adds the content of `/proc/<pid>/net/dev` and returns the totals. */
  read(text: string): { readonly received: number; readonly transmitted: number } {
    const now = parseNetDev(text);
    for (const [name, bytes] of now) {
      const last = this.#last.get(name);
      this.#received += increase(last?.received, bytes.received);
      this.#transmitted += increase(last?.transmitted, bytes.transmitted);
    }
    this.#last = now;
    return { received: this.#received, transmitted: this.#transmitted };
  }
}

/** The increase of a counter; its whole value if it has restarted. */
function increase(last = 0, now: number): number {
  return now >= last ? now - last : now;
}
