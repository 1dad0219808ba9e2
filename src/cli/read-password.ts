import { limits, TonnageError } from '../base/index.ts';
import type { Input, Terminal } from './contract.ts';

function refused(message: string): TonnageError {
  return new TonnageError('bad_request', `password: ${message}`);
}

/** The password, if it can be sent with HTTP Basic (RFC 7617 section 2: no control characters). */
function checked(password: string): string {
  if (password === '') throw refused('expected at least one character on standard input, but came none');
  if (/\p{Cc}/u.test(password)) throw refused('expected one line without control characters, but came something else');
  return password;
}

/**
 * Reads a password from standard input: from a person at a terminal without showing it, and twice; from anything else
 * all there is, less one newline at its end. Throws `bad_request` for what cannot be a password.
 */
export async function readPassword(terminal: Terminal): Promise<string> {
  if (terminal.input.isTTY !== true) return checked(decode(await readAll(terminal.input)).replace(/\r?\n$/, ''));
  const first = checked(await ask(terminal, 'Password: '));
  if ((await ask(terminal, 'Again: ')) !== first) throw refused('expected the same one twice, but came two');
  return first;
}

async function readAll(input: Input): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of input) {
    const piece = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
    bytes += piece.length;
    if (bytes > limits.passwordBytesMax)
      throw refused(`expected at most ${limits.passwordBytesMax} bytes, but came more`);
    chunks.push(piece);
  }
  return Buffer.concat(chunks);
}

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new TonnageError('bad_request', 'password: expected text in UTF-8, but came other bytes', { cause });
  }
}

/** One line from a terminal that shows nothing of it. Rejects when the person gives up (Ctrl-C, Ctrl-D). */
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
        else reject(refused('none was given'));
      };
      input.on('data', onData);
    });
  } finally {
    input.setRawMode?.(false);
    input.pause();
    terminal.say('\n');
  }
}

/** What a person has typed so far, with the keys that edit a line. */
export class HiddenLine {
  #text = '';

  get text(): string {
    return this.#text;
  }

  /** Takes keys in. `ended`: the line is complete. `given-up`: there will be none. */
  type(keys: string): 'open' | 'ended' | 'given-up' {
    for (const key of keys) {
      if (key === '\r' || key === '\n') return 'ended';
      // Ctrl-C and Ctrl-D, which a raw terminal hands over as characters.
      if (key === '\u0003' || key === '\u0004') return 'given-up';
      if (key === '\u0015') this.#text = '';
      else if (key === '\u007F' || key === '\b') this.#text = this.#text.replace(/.$/su, '');
      else this.#text += key;
    }
    return 'open';
  }
}
