import { parseNetDev } from './proc-text.ts';

/**
 * Bytes of all network interfaces together, as totals that never fall: an interface that goes away takes its numbers
 * along, and one that comes back begins at 0.
 */
export class NetworkBytes {
  #received = 0;
  #transmitted = 0;
  #last: ReturnType<typeof parseNetDev> = new Map();

  /** Takes one reading of `/proc/<pid>/net/dev` and answers the totals. */
  read(text: string): { readonly received: number; readonly transmitted: number } {
    const now = parseNetDev(text);
    for (const [name, bytes] of now) {
      const last = this.#last.get(name);
      this.#received += risen(last?.received, bytes.received);
      this.#transmitted += risen(last?.transmitted, bytes.transmitted);
    }
    this.#last = now;
    return { received: this.#received, transmitted: this.#transmitted };
  }
}

/** What a number has risen by; all of it when it has begun anew. */
function risen(last = 0, now: number): number {
  return now >= last ? now - last : now;
}
