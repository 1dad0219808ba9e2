import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { AtomicFile } from '../../sqlite/index.ts';
import { Pseudonyms } from '../../usage/index.ts';
import type { EraseMark, ErasedNames } from '../../store/index.ts';

/** A mark in the file `LEDGER.erasing`, one line for each name. */
export class FileEraseMark implements EraseMark {
  readonly #file: string;
  readonly #mark: string;

  /** `ledger`: path of the ledger file; `hashKey`: its own key. */
  constructor(ledger: string, hashKey: Uint8Array, { dimension, values }: ErasedNames) {
    this.#file = markFile(ledger);
    // The last text is the canonical one.
    this.#mark = new Pseudonyms(hashKey).of(`erased ${dimension}`, values.at(-1) ?? '');
  }

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

/** As `LedgerFile.unfinishedErases`. */
export function countErasing(ledger: string): number {
  return marksIn(markFile(ledger)).length;
}

function markFile(ledger: string): string {
  return `${ledger}.erasing`;
}

function marksIn(file: string): readonly string[] {
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : [];
}
