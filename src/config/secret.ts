import { inspect } from 'node:util';

/** What stands where a secret would be: in a printed configuration, in logs and in errors. */
export const secretMask = '***';

/**
 * A password or password hash, held so that it cannot leak by accident: string conversion, JSON and `util.inspect`
 * (which loggers and the debugger use) all show the mask. Only `reveal()` gives the text, so every use can be found.
 */
export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** The secret itself. Hand it straight to what needs it; never keep it in another object. */
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
