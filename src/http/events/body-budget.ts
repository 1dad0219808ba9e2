/**
 * Memory for bodies, shared fairly: no sender holds more than it leaves free. One sender therefore gets half at most, two
 * get a third each, and a further sender always finds room.
 */
export class BodyBudget {
  readonly #totalBytes: number;
  readonly #bySender = new Map<string, number>();
  #freeBytes: number;

  constructor(totalBytes: number) {
    this.#totalBytes = totalBytes;
    this.#freeBytes = totalBytes;
  }

  /** Whether less than half of the memory is free. */
  get isShort(): boolean {
    return this.#freeBytes * 2 < this.#totalBytes;
  }

  /** Takes `bytes` for a sender; false, and nothing is taken, when that is more than its share. */
  take(sender: string, bytes: number): boolean {
    const held = this.#bySender.get(sender) ?? 0;
    if (held + bytes > this.#freeBytes - bytes) return false;
    this.#bySender.set(sender, held + bytes);
    this.#freeBytes -= bytes;
    return true;
  }

  giveBack(sender: string, bytes: number): void {
    const held = (this.#bySender.get(sender) ?? 0) - bytes;
    if (held > 0) this.#bySender.set(sender, held);
    else this.#bySender.delete(sender);
    this.#freeBytes += bytes;
  }
}
