import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { pulls, TestLedger, today } from '../../src/care/testing/ledger.ts';
import { openSqliteTotals } from '../../src/ledger-file/store.ts';
import type { Totals } from '../../src/store/index.ts';
import { readState } from '../../src/redis-totals/write/testing/model.ts';
import { scaled } from '../support/long.ts';
import { startProgram } from '../support/program.ts';
import { closeLinks, connectTestLink } from '../support/redis-link.ts';
import { startRedis, type RedisServer } from '../support/redis.ts';
import { entry, tonnage } from '../support/tonnage.ts';

const directory = mkdtempSync(join(tmpdir(), 'tonnage-erase-'));
const config = join(directory, 'tonnage.yaml');
const ledger = new TestLedger(join(directory, 'data'));
const kills = scaled(3, 20);
let redis: RedisServer;

beforeAll(async () => {
  redis = await startRedis(join(directory, 'redis'));
  writeFileSync(config, stringify({ data: ledger.data, upstreams: {}, store: { driver: 'redis', url: redis.url } }));
});
afterAll(async () => {
  await redis.stop();
  rmSync(directory, { recursive: true, force: true });
});

test(`erasing that is killed ${kills} times, wherever it is, loses no count and leaves no name`, async () => {
  const cells = Array.from({ length: 30_000 }, (_, index) =>
    pulls(today - (index % 300), BigInt(1 + (index % 7)), {
      org: index % 3 === 0 ? 'b.example' : 'a.example',
      arch: index % 2 === 0 ? 'amd64' : 'arm64',
      repository: `r${Math.floor(index / 300)}`,
    }),
  );
  await ledger.commit(redis.url, cells);
  const byDay = await sumsInRedis();
  const command = ['--config', config, 'ledger', 'erase', '--org', 'a.example', '--yes'];
  for (let kill = 0; kill < kills; kill++) {
    const erasing = startProgram(process.execPath, [entry, ...command]);
    await pause(500 + (kill * 1_500) / kills);
    await erasing.stop('SIGKILL');
  }
  // Unless the last killed run had just finished its work, so that the ledger no longer knows the name.
  await tonnage(command).catch(() => tonnage(command, { expected: 3 }));
  expect((await tonnage(['--config', config, 'ledger', 'check'])).stdout).toBe('ok\n');
  expect(await sumsInRedis()).toEqual(byDay);
  expect(await sumsInFile()).toEqual(byDay);
  const files = readdirSync(ledger.data).filter((name) => readFileSync(join(ledger.data, name)).includes('a.example'));
  expect(files).toEqual([]);
  const { link } = await connectTestLink({ mode: 'standalone', url: redis.url });
  expect(JSON.stringify(await readState(link))).not.toContain('a.example');
  await closeLinks();
}, 300_000);

/** The counts of each day, architecture and repository, of all organisations. */
async function sums(totals: Totals): Promise<unknown> {
  const common = { meter: 'pulls', where: {}, limit: 100_000, offset: 0 } as const;
  const [days, repositories] = await Promise.all([
    totals.query({ ...common, window: 'day', by: ['arch'] }, today),
    totals.query({ ...common, window: 'month', by: ['arch', 'repository'] }, today),
  ]);
  return [days.rows, repositories.rows];
}

const sumsInRedis = (): Promise<unknown> => ledger.with(redis.url, ({ totals }) => sums(totals));

/** Read alone, since the ledger delivers to Redis: no store opens it to keep its totals itself. */
async function sumsInFile(): Promise<unknown> {
  const totals = await openSqliteTotals(ledger.file);
  try {
    return await sums(totals);
  } finally {
    await totals.close();
  }
}
