import { mkdtemp, open, readFile, rm, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, it } from 'vitest';

import { TempWriter } from './temp-writer.ts';

let directory: string;
let handle: FileHandle;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tonnage-writer-'));
  handle = await open(join(directory, 'file'), 'wx+');
});

afterEach(async () => {
  await handle.close();
  await rm(directory, { recursive: true, force: true });
});

const content = (): Promise<string> => readFile(join(directory, 'file'), 'utf8');

it('writes chunks in order', async () => {
  const sizes: number[] = [];
  const writer = new TempWriter(handle, 4, (written) => sizes.push(written));
  for (const word of ['one ', 'two ', 'three ', 'four']) await writer.push(Buffer.from(word));
  await writer.finish();
  expect(await content()).toBe('one two three four');
  expect(sizes.at(-1)).toBe(18);
});

it('writes nothing after a failed write, even if the disk recovers', async () => {
  let failed = false;
  const sizes: number[] = [];
  const failing: Pick<FileHandle, 'write' | 'writev'> = {
    write: handle.write.bind(handle),
    writev: (buffers, position) => {
      if (failed || position === 0) return handle.writev(buffers, position);
      failed = true;
      return Promise.reject(new Error('the disk is full'));
    },
  };
  const writer = new TempWriter(failing, 1, (written) => sizes.push(written));
  await writer.push(Buffer.from('first'));
  await expect(writer.push(Buffer.from('lost'))).rejects.toThrow('the disk is full');
  await expect(writer.push(Buffer.from('late'))).rejects.toThrow('the disk is full');
  await expect(writer.finish()).rejects.toThrow('the disk is full');
  expect(await content()).toBe('first');
  expect(sizes).toEqual([5]);
});
