/**
 * Shares the memory for bodies fairly: no sender may hold more than remains free. One sender therefore gets at most
 * half, two get a third each, and another sender always finds room.
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

  /** Reserves `bytes` for a sender. Returns false, and reserves nothing, if that exceeds the sender's share. */
  reserve(sender: string, bytes: number): boolean {
    const held = this.#bySender.get(sender) ?? 0;
    if (held + bytes > this.#freeBytes - bytes) return false;
    this.#bySender.set(sender, held + bytes);
    this.#freeBytes -= bytes;
    return true;
  }

  release(sender: string, bytes: number): void {
    const held = (this.#bySender.get(sender) ?? 0) - bytes;
    if (held > 0) this.#bySender.set(sender, held);
    else this.#bySender.delete(sender);
    this.#freeBytes += bytes;
  }
}
