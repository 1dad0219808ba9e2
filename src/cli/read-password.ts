import { limits, TonnageError } from '../base/index.ts';
import type { Input, Terminal } from './contract.ts';

function refused(message: string): TonnageError {
  return new TonnageError('bad_request', `password: ${message}`);
}

/** Rejects a password that HTTP Basic cannot carry (RFC 7617 section 2: no control characters). */
function checked(password: string): string {
  if (password === '') throw refused('expected at least one character on standard input, got none');
  if (/\p{Cc}/u.test(password)) throw refused('expected one line without control characters, got something else');
  return password;
}

/**
 * Reads a password from standard input: from a terminal twice and without showing it; otherwise the whole input without
 * one final newline. Rejects with `bad_request` for an invalid password.
 */
export async function readPassword(terminal: Terminal): Promise<string> {
  if (terminal.input.isTTY !== true) return checked(decode(await readAll(terminal.input)).replace(/\r?\n$/, ''));
  const first = checked(await ask(terminal, 'Password: '));
  if ((await ask(terminal, 'Again: ')) !== first)
    throw refused('expected the same password twice, got two different ones');
  return first;
}

async function readAll(input: Input): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of input) {
    const piece = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
    bytes += piece.length;
    if (bytes > limits.passwordBytesMax) throw refused(`expected at most ${limits.passwordBytesMax} bytes, got more`);
    chunks.push(piece);
  }
  return Buffer.concat(chunks);
}

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new TonnageError('bad_request', 'password: expected text in UTF-8, got other bytes', { cause });
  }
}

/** Reads one line from a terminal without showing it. Rejects on Ctrl-C and Ctrl-D. */
async function ask(terminal: Terminal, prompt: string): Promise<string> {
  const { input } = terminal;
  terminal.say(prompt);
  input.setRawMode?.(true);
  input.resume();
  try {
    return await new Promise((resolve, reject) => {
      const line = new HiddenLine();
      const utf8 = new TextDecoder();
      const onData = (chunk: Buffer): void => {
        const state = line.type(utf8.decode(chunk, { stream: true }));
        if (state === 'open') return;
        input.off('data', onData);
        if (state === 'ended') resolve(line.text);
        else reject(refused('expected a password, got none'));
      };
      input.on('data', onData);
    });
  } finally {
    input.setRawMode?.(false);
    input.pause();
    terminal.say('\n');
  }
}

/** A line being typed, with support for editing keys. */
export class HiddenLine {
  #text = '';

  get text(): string {
    return this.#text;
  }

  /** Processes keys. `ended`: the line is complete. `cancelled`: the user has cancelled it. */
  type(keys: string): 'open' | 'ended' | 'cancelled' {
    for (const key of keys) {
      if (key === '\r' || key === '\n') return 'ended';
      // Ctrl-C and Ctrl-D, which are characters in raw mode.
      if (key === '\u0003' || key === '\u0004') return 'cancelled';
      if (key === '\u0015') this.#text = '';
      else if (key === '\u007F' || key === '\b') this.#text = this.#text.replace(/.$/su, '');
      else this.#text += key;
    }
    return 'open';
  }
}
