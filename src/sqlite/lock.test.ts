import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { lockFile } from './index.ts';

let directory: string;
beforeEach(() => void (directory = mkdtempSync(join(tmpdir(), 'tonnage-lock-'))));
afterEach(() => rmSync(directory, { recursive: true, force: true }));

test('a second taker is refused with a message that says what to do', () => {
  const file = join(directory, 'lock');
  const lock = lockFile(file);
  expect(() => lockFile(file)).toThrow(expect.objectContaining({ code: 'data_locked' }));
  expect(() => lockFile(file)).toThrow(/stop it, or use another data directory/);
  lock.release();
  lockFile(file).release();
});

test('a process that is killed frees it at once', async () => {
  const file = join(directory, 'lock');
  const program = `import { lockFile } from ${JSON.stringify(new URL('./index.ts', import.meta.url).href)};
    lockFile(${JSON.stringify(file)}); console.log('held');
    setTimeout(() => { gc(); console.log('still held'); }, 20); setInterval(() => {}, 1000);`;
  const holder = spawn(process.execPath, ['--expose-gc', '--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  holder.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
  // Whatever the collector thinks of a lock that the program does not keep.
  await expect.poll(() => said, { timeout: 60_000 }).toContain('still held');
  try {
    expect(() => lockFile(file)).toThrow(/held by another/);
  } finally {
    holder.kill('SIGKILL');
    await once(holder, 'exit');
  }
  lockFile(file).release();
});

test('a directory that cannot be written is named', () => {
  expect(() => lockFile(join(directory, 'absent', 'lock'))).toThrow(/absent\/lock: cannot be locked/);
});
