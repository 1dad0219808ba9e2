import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { root } from '../../scripts/test/tools.ts';
import { startProgram, type Program } from '../support/program.ts';
import { eventually } from '../support/redis.ts';
import { withTree } from '../support/tree.ts';

/** Runs `npm start` of this checkout with ports and data of its own, until it serves. */
async function withStart(use: (npm: Program, server: { pid: number; url: string }) => Promise<void>): Promise<void> {
  await withTree({}, async (data) => {
    const flags = ['--port', '0', '--metrics', '127.0.0.1:0', '--data', data];
    const npm = startProgram('npm', ['start', '--prefix', root, '--silent', '--', ...flags]);
    try {
      const line = await npm.until(/^\{.*"msg":"listening".*\}$/m);
      await use(npm, JSON.parse(line[0]) as { pid: number; url: string });
    } finally {
      await npm.stop('SIGTERM');
    }
  });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('npm start', () => {
  it('serves, on loopback addresses, with the flags behind `--`', async () => {
    await withStart(async (_, { url }) => {
      expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+/);
      expect((await fetch(new URL('/healthz', url))).status).toBe(200);
    });
  });

  it.runIf(process.platform === 'linux')('stops cleanly on SIGHUP, which ends npm at once', async () => {
    await withStart(async (npm, { pid }) => {
      npm.child.kill('SIGHUP');
      await eventually('the server has ended', () => !isAlive(pid));
      await npm.until(/"msg":"stopped"/);
    });
  });

  it.each(['SIGTERM', 'SIGINT'] as const)(
    'passes %s on, waits for a clean stop and exits with its code',
    async (signal) => {
      await withStart(async (npm, { pid }) => {
        expect(await npm.stop(signal)).toBe(0);
        expect(npm.output()).toContain('"msg":"stopped"');
        expect(isAlive(pid)).toBe(false);
      });
    },
  );

  it.runIf(process.platform === 'linux')('leaves no server behind when what started it is killed', async () => {
    await withStart(async (_, { pid }) => {
      const launcher = Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
      process.kill(launcher, 'SIGKILL');
      await eventually('the server has ended', () => !isAlive(pid));
    });
  });
});
