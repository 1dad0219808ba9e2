import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Log } from '../base/index.ts';
import type { Handler } from './listener.ts';
import { openLocalSocket, ownerOf } from './local-socket.ts';

let directory: string;
let warnings: string[];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tonnage-socket-'));
  warnings = [];
});
afterEach(() => rmSync(directory, { recursive: true }));

const nothing = (): void => undefined;
const log: Log = { debug: nothing, info: nothing, error: nothing, warn: (_, message) => void warnings.push(message) };
const whoAsks: Handler = (asked, response) => response.end(ownerOf(asked)?.subject ?? 'nobody');

function get(socketPath: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, path: '/' }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () => resolve(text));
    });
    asked.on('error', reject);
    asked.end();
  });
}

test('only this user can open the socket, and its requests have all rights', async () => {
  const file = join(directory, 'socket');
  writeFileSync(file, 'left by a server that was killed');
  const close = await openLocalSocket({ file, handler: whoAsks, log });
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(await get(file)).toBe('owner of the data directory');
  await close(1_000);
  await expect(get(file)).rejects.toThrow('ENOENT');
  expect(warnings).toEqual([]);
});

test('close aborts a request that does not end', async () => {
  const file = join(directory, 'socket');
  const arrived = Promise.withResolvers<void>();
  const close = await openLocalSocket({ file, handler: () => arrived.resolve(), log });
  const asked = get(file).catch(String);
  await arrived.promise;
  await close(50);
  expect(await asked).toContain('socket hang up');
});

test.each(['x'.repeat(200), join('no', 'such', 'folder')])(
  'a socket that cannot be opened is logged (%#)',
  async (name) => {
    const close = await openLocalSocket({ file: join(directory, name), handler: whoAsks, log });
    await close(1_000);
    expect(warnings).toEqual(['cannot open the socket for local commands; they need --url']);
  },
);
