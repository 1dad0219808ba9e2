import { scryptSync } from 'node:crypto';
import { systemRandom, type Clock, type Log } from '../../base/index.ts';

/** A clock that only moves by `forward`. */
export class HandClock implements Clock {
  #ms = 1_000;

  now(): number {
    return this.#ms;
  }

  monotonic(): number {
    return this.#ms;
  }

  forward(ms: number): void {
    this.#ms += ms;
  }
}

/** A scrypt hash with the lowest accepted cost, for quick tests. Independent of the code under test. */
export function cheapHash(password: string): string {
  const salt = systemRandom.bytes(16);
  const hash = scryptSync(password, salt, 32, { N: 1024, r: 1, p: 1 });
  return `scrypt:1024:1:1:${Buffer.from(salt).toString('base64')}:${hash.toString('base64')}`;
}

export function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly fields: object;
  readonly message: string;
}

/** A log that collects its lines. */
export function collectingLog(): Log & { readonly lines: LogLine[] } {
  const lines: LogLine[] = [];
  const at = (level: LogLine['level']) => (fields: object, message: string) =>
    void lines.push({ level, fields, message });
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}
