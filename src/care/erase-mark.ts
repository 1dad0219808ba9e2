import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { AtomicFile } from '../sqlite/index.ts';
import { Pseudonyms } from '../usage/index.ts';
import type { ErasedNames } from '../store/index.ts';

/**
 * A word beside the ledger, for as long as a name is being erased, so that a run that was broken off is known for one when
 * the ledger itself does not know the name any more. The name stands there as a keyed hash only.
 */
export class EraseMark {
  readonly #file: string;
  readonly #mark: string;

  /** `ledger`: path of the ledger file; `hashKey`: its own key. */
  constructor(ledger: string, hashKey: Uint8Array, { dimension, values }: ErasedNames) {
    this.#file = markFile(ledger);
    // The last of the texts is the one that is the same however the name was written.
    this.#mark = new Pseudonyms(hashKey).of(`erased ${dimension}`, values.at(-1) ?? '');
  }

  /** Whether this name was begun to be erased, and that has not ended. */
  get isSet(): boolean {
    return marksIn(this.#file).includes(this.#mark);
  }

  set(): void {
    if (this.isSet) return;
    this.#write([...marksIn(this.#file), this.#mark]);
  }

  clear(): void {
    this.#write(marksIn(this.#file).filter((mark) => mark !== this.#mark));
  }

  #write(marks: readonly string[]): void {
    if (marks.length === 0) return rmSync(this.#file, { force: true });
    const side = new AtomicFile(this.#file);
    try {
      writeFileSync(side.path, `${marks.join('\n')}\n`);
      side.commit();
    } finally {
      side.discard();
    }
  }
}

/** How many names were begun to be erased from a ledger file, and are not yet. */
export function countErasing(ledger: string): number {
  return marksIn(markFile(ledger)).length;
}

function markFile(ledger: string): string {
  return `${ledger}.erasing`;
}

function marksIn(file: string): readonly string[] {
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : [];
}
