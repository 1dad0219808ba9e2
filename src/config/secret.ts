import { inspect } from 'node:util';

/** Replaces a secret in printed configurations, logs and errors. */
export const secretMask = '***';

/**
 * A secret that cannot leak by accident: string conversion, JSON and `util.inspect` (which loggers and the debugger
 * use) all show the mask. Only `reveal()` returns the text, so a search finds every use.
 */
export class Secret {
  /** Absolute path of the file that contains the secret (`...File`), for those that read it again. */
  readonly file: string | undefined;
  readonly #text: string;

  constructor(text: string, file?: string) {
    this.#text = text;
    this.file = file;
  }

  /** The secret itself. Pass it directly to its consumer; do not store it in another object. */
  reveal(): string {
    return this.#text;
  }

  toString(): string {
    return secretMask;
  }

  toJSON(): string {
    return secretMask;
  }

  [inspect.custom](): string {
    return secretMask;
  }
}
