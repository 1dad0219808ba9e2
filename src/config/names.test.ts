import { describe, expect, test } from 'vitest';
import { canonicalOrganisation } from '../base/index.ts';
import {
  isHostLike,
  parseEmail,
  parsePasswordHash,
  parsePublicUrl,
  parseTimeZone,
  parseUpstreamName,
  parseUpstreamUrl,
  parseUserName,
} from './names.ts';

const hash = `${'A'.repeat(22)}==:${'b'.repeat(43)}=`;

/** For each parser: valid texts, with the result if it differs, and invalid texts. */
const parsers: [string, (text: string) => string | undefined, (string | [string, string])[], string[]][] = [
  [
    'upstream name',
    parseUpstreamName,
    ['docker.io', 'localhost:5001', 'lab', 'a-b', 'a__b', '10.0.0.1:5000'],
    ['wt', 'token', '_catalog', '', 'Docker.io', 'a/b', '-a', 'a-', 'a..b', 'a:b', 'a:', '[::1]:80', 'a'.repeat(256)],
  ],
  [
    'upstream URL',
    parseUpstreamUrl,
    [
      'https://ghcr.io',
      ['https://ghcr.io/', 'https://ghcr.io'],
      ['HTTPS://GHCR.io', 'https://ghcr.io'],
      ['https://ghcr.io:443', 'https://ghcr.io'],
      'http://127.0.0.1:5001',
      'http://[::1]:5001',
      ['https://host/base/', 'https://host/base'],
    ],
    [
      'ghcr.io',
      'ftp://ghcr.io',
      'https://',
      'https://u@h',
      'https://u:p@h',
      'https://h?q',
      'https://h#f',
      'http:h',
      '',
    ],
  ],
  [
    'public URL',
    parsePublicUrl,
    ['https://pull.example.org', ['https://pull.example.org/', 'https://pull.example.org'], 'http://127.0.0.1:8080'],
    ['pull.example.org', 'https://pull.example.org/path', 'https://u@h', 'ftp://h', ''],
  ],
  ['user name', parseUserName, ['alice', 'a@b', 'Ünal', 'x'.repeat(128)], ['', 'a:b', 'a b', 'a\nb', 'x'.repeat(129)]],
  [
    'organisation',
    canonicalOrganisation,
    ['example.org', ['Example.ORG', 'example.org'], 'acme', 'a-b.c', 'corp1', '1a.io'],
    [
      '',
      'a..b',
      '.a',
      'a.',
      '-a',
      'a-',
      'a_b',
      'a b',
      'a/b',
      '__other__',
      '127.0.0.1',
      '7',
      'bücher.de',
      '\u212a.de',
      'a'.repeat(64),
    ],
  ],
  [
    'e-mail address',
    parseEmail,
    ['alice@example.org', 'a.b+c@corp', 'Alice@Example.org'],
    ['', 'alice', '@example.org', 'alice@', 'a@b@c', 'a b@c', 'a@b/c', `${'a'.repeat(65)}@b`],
  ],
  [
    'password hash',
    parsePasswordHash,
    [`scrypt:16384:8:1:${hash}`, `scrypt:1024:1:16:${hash}`, `sha256:${'0a'.repeat(32)}`],
    [
      '',
      'secret',
      `scrypt:16383:8:1:${hash}`,
      `scrypt:512:8:1:${hash}`,
      `scrypt:1048576:8:1:${hash}`,
      `scrypt:16384:0:1:${hash}`,
      `scrypt:16384:8:17:${hash}`,
      'scrypt:16384:8:1:AA:BB',
      `sha256:${'0A'.repeat(32)}`,
      `sha256:${'0a'.repeat(31)}`,
    ],
  ],
  [
    'time zone',
    parseTimeZone,
    ['UTC', ['utc', 'UTC'], 'Europe/Berlin', ['europe/berlin', 'Europe/Berlin'], 'Asia/Kolkata', 'Asia/Calcutta'],
    ['', 'Mars/Olympus', '+01:00', 'CEST', 'Europe/Berlin '],
  ],
];

describe.each(parsers)('%s', (_name, parse, taken, refused) => {
  test.each(taken.map((entry) => (typeof entry === 'string' ? [entry, entry] : entry)))('%j is %j', (text, value) => {
    expect(parse(text)).toBe(value);
  });

  test.each(refused)('%j is invalid', (text) => {
    expect(parse(text)).toBeUndefined();
  });
});

test.each([
  ['ghcr.io', true],
  ['host:5000', true],
  ['localhost', true],
  ['lab', false],
])('%s looks like a host: %s', (name, expected) => {
  expect(isHostLike(name)).toBe(expected);
});
