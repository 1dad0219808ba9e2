import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { withLock } from '../../scripts/setup/lock.mjs';
import { withTree } from '../support/tree.ts';

/** Larger than any process id can be. */
const noProcess = 2 ** 31 - 1;

describe('the lock of a setup', () => {
  it('lets one at a time work, and is gone afterwards', async () => {
    await withTree({}, async (folder) => {
      const file = join(folder, 'lock');
      let working = 0;
      const work = async () => {
        working++;
        expect(working).toBe(1);
        await sleep(20);
        working--;
      };
      await Promise.all([withLock(file, work), withLock(file, work), withLock(file, work)]);
      expect(existsSync(file)).toBe(false);
    });
  });

  it('is released when the work fails', async () => {
    await withTree({}, async (folder) => {
      const file = join(folder, 'lock');
      await expect(withLock(file, () => Promise.reject(new Error('no disk')))).rejects.toThrow('no disk');
      expect(existsSync(file)).toBe(false);
    });
  });

  it('is taken over from a holder that was killed, by one of several that wait', async () => {
    await withTree({}, async (folder) => {
      const file = join(folder, 'lock');
      writeFileSync(file, `${noProcess}\n`);
      const past = new Date(Date.now() - 60_000);
      utimesSync(file, past, past);
      let working = 0;
      const work = async () => {
        expect(++working).toBe(1);
        await sleep(20);
        working--;
      };
      await Promise.all([1, 2, 3].map(() => withLock(file, work, { staleMs: 1_000 })));
    });
  });

  it('is not taken over while the program that a killed holder has left behind still writes', async () => {
    await withTree({}, async (folder) => {
      const file = join(folder, 'lock');
      const program = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 1500)']);
      const ended = once(program, 'exit').then(() => 'ended');
      writeFileSync(file, `${program.pid}\n`);
      const past = new Date(Date.now() - 60_000);
      utimesSync(file, past, past);
      const second = withLock(file, () => Promise.resolve('second'), { staleMs: 1_000 });
      expect(await Promise.race([ended, second])).toBe('ended');
      expect(await second).toBe('second');
    });
  });

  it('is waited for as long as its holder lives, and that is said once', async () => {
    await withTree({}, async (folder) => {
      const file = join(folder, 'lock');
      let waits = 0;
      // The holder works for longer than a lock that nobody touches would count.
      const first = withLock(file, () => sleep(2_500).then(() => 'first'));
      const second = withLock(file, () => Promise.resolve('second'), { staleMs: 1_500, onWait: () => waits++ });
      expect(await Promise.race([first, second])).toBe('first');
      expect(await second).toBe('second');
      expect(waits).toBe(1);
    });
  });
});
