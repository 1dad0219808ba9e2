import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { limits } from '../base/index.ts';
import { createConfigReader } from './reader.ts';

const reader = createConfigReader({});

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'tonnage-config-'));
  mkdirSync(join(directory, 'secrets'));
  const text =
    'data: here\nupstreams: { lab: { url: "http://lab", auth: { basic: { username: u, passwordFile: secrets/p } } } }';
  writeFileSync(join(directory, 'good.yaml'), text);
  writeFileSync(join(directory, 'secrets/p'), 'hunter2\n');
  writeFileSync(join(directory, 'latin1.yaml'), Buffer.from('data: "\xe4"', 'latin1'));
  writeFileSync(join(directory, 'huge.yaml'), '#'.repeat(limits.configBytesMax + 1));
  writeFileSync(join(directory, 'lost-secret.yaml'), text.replace('secrets/p', 'secrets/q'));
  writeFileSync(join(directory, 'broken.yaml'), 'a: [');
  writeFileSync(join(directory, 'forbidden.yaml'), '');
  chmodSync(join(directory, 'forbidden.yaml'), 0);
});
afterAll(() => rmSync(directory, { recursive: true }));

test('paths in a file are relative to the file, not to the working directory', () => {
  const config = reader.load({ file: 'good.yaml', environment: {}, workingDirectory: directory });
  expect(config.data).toBe(join(directory, 'here'));
  expect(config.upstreams[0]?.auth?.basic.password.reveal()).toBe('hunter2');
  expect(reader.load({ file: join(directory, 'good.yaml'), environment: {} })).toEqual(config);
});

test('without a file, paths are relative to the working directory', () => {
  expect(reader.load({ environment: {} }).data).toBe(join(process.cwd(), 'data'));
});

describe('the error for an unreadable file names it', () => {
  test.each([
    ['', 'configuration file: expected the name of a file, but came ""'],
    ['nope.yaml', 'nope.yaml: cannot be read: there is no such file or directory'],
    ['secrets', 'secrets: cannot be read: this is a directory'],
    ['good.yaml/x', 'good.yaml/x: cannot be read: a part of its path is not a directory'],
    ['latin1.yaml', 'latin1.yaml: is expected to be UTF-8 text, but contains other bytes'],
    ['huge.yaml', `huge.yaml: is larger than the ${limits.configBytesMax} bytes that are allowed`],
    ['broken.yaml', 'broken.yaml:1:5: '],
    ['lost-secret.yaml', 'auth.basic.passwordFile: "secrets/q" cannot be read: there is no such file or directory'],
  ])('%s', (file, message) => {
    expect(() => reader.load({ file, environment: {}, workingDirectory: directory })).toThrow(message);
  });

  test.skipIf(process.getuid?.() === 0)('forbidden.yaml', () => {
    expect(() => reader.load({ file: 'forbidden.yaml', environment: {}, workingDirectory: directory })).toThrow(
      'cannot be read: permission denied',
    );
  });
});
