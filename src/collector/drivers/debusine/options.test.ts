import { describe, expect, it } from 'vitest';
import { debusineOptions } from './options.ts';

const parse = (key: string, text: string) => debusineOptions.keys[key]?.safeParse(text);

describe('dsn', () => {
  it.each([
    'postgresql://debusine:secret@db.example.org:5432/debusine',
    'postgres://db.example.org/debusine',
    'postgresql:///debusine?host=/run/postgresql',
    'postgresql://metrics@/debusine?host=/run/postgresql',
    'postgresql://[::1]:5432/debusine?sslmode=verify-full',
  ])('is valid: %s', (text) => {
    expect(parse('dsn', text)?.success).toBe(true);
  });

  it.each([
    '',
    'debusine',
    'host=db dbname=debusine',
    'http://db.example.org/debusine',
    'postgresql://user:pa#ss@db.example.org/debusine',
    'postgresql://user:100%@db.example.org/debusine',
    'postgresql://one,two/debusine',
    'postgresql://db.example.org:99999/debusine',
    'postgresql://db example/debusine',
  ])('is invalid, and its error does not show it: %s', (text) => {
    expect(parse('dsn', text)?.error?.issues[0]?.message).toMatch(/^expected a URL such as/);
  });
});

describe('path', () => {
  it.each(['farm', 'build.farm-2', 'a'.repeat(63)])('is valid: %s', (text) => {
    expect(parse('path', text)?.data).toBe(text);
  });

  it.each(['', '.', '..', 'a/b', 'a b', 'ä', '%2e', 'a'.repeat(64)])('is invalid: "%s"', (text) => {
    expect(parse('path', text)?.success).toBe(false);
  });
});
