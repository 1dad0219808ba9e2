import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { limits } from '../../src/base/index.ts';
import { lockFile } from '../../src/sqlite/index.ts';
import { startDockerUpstream, type DockerUpstream } from '../support/docker-upstream.ts';
import { layer, pushImage } from '../support/images.ts';
import { limitFiles, withSmallDisk } from '../support/limited.ts';
import { scaled } from '../support/long.ts';
import { sleep } from '../support/program.ts';
import { eventually, startRedis, type RedisServer } from '../support/redis.ts';
import { startTonnage, type Tonnage } from '../support/tonnage.ts';

let directory: string;
let upstream: DockerUpstream;
let running: Tonnage[] = [];
let next = 0;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'tonnage-stop-'));
  upstream = await startDockerUpstream(directory);
  await pushImage(upstream.url, 'app', 'v1', { architecture: 'arm64', layers: [layer(1_000)] });
});
afterAll(async () => {
  await Promise.all(running.map(({ program }) => program.stop('SIGKILL')));
  await upstream.stop();
  rmSync(directory, { recursive: true, force: true });
});

/** What makes commits fail, and what makes them work again for the next start. */
interface Nemesis {
  readonly begin: (server: Tonnage) => Promise<void> | void;
  readonly end: () => Promise<void> | void;
  /** The stop itself may make room, so that the ledger saves everything after all and the server exits with 0. */
  readonly mayPass?: true;
}

const shutdownTimeoutMs = 2_000;

async function start(folder: string, config: Record<string, unknown>): Promise<Tonnage> {
  const server = await startTonnage(folder, {
    upstreams: { lab: { url: upstream.url, tagTtl: '1h' } },
    shutdownTimeout: `${shutdownTimeoutMs}ms`,
    usage: { commitWait: '50ms' },
    ...config,
  });
  running.push(server);
  return server;
}

async function pull({ url }: Tonnage): Promise<void> {
  const response = await fetch(`${url}/v2/lab/app/manifests/v1`);
  expect(response.status).toBe(200);
  await response.arrayBuffer();
}

const unsaved = async (server: Tonnage): Promise<number> =>
  Number(/^tonnage_ledger_unsaved_events (\d+)$/m.exec(await server.metrics())?.[1]);

/** Whether another process could take the data directory. */
function isLocked(folder: string): boolean {
  try {
    lockFile(join(folder, 'data', 'lock')).release();
    return false;
  } catch {
    return true;
  }
}

/**
 * Pulls, lets commits fail, pulls on, and stops the server: it must end in time with code 1, hold its lock until then, say
 * how many counts are lost, and not fill the log. What it did not say to be lost is in the totals after the next start.
 */
async function stopWhileCommitsFail(folder: string, config: Record<string, unknown>, nemesis: Nemesis): Promise<void> {
  const server = await start(folder, config);
  for (let pulls = 0; pulls < 5; pulls++) await pull(server);
  await eventually('all is saved', async () => (await unsaved(server)) === 0);
  await nemesis.begin(server);
  let pulls = 5;
  await eventually('commits fail', async () => {
    await pull(server);
    pulls++;
    return (await unsaved(server)) > 1;
  });
  const before = server.program.output().length;
  const began = performance.now();
  const signal = (['SIGTERM', 'SIGINT', 'SIGHUP'] as const)[next++ % 3];
  let hasEnded = false;
  const stopped = server.program.stop(signal).finally(() => (hasEnded = true));
  let timesFree = 0;
  for (let isHeld = true; !hasEnded; isHeld = isLocked(folder)) {
    if (!isHeld) timesFree++;
    await sleep(50);
  }
  const code = await stopped;
  // Once: the process may be gone before its end has been noticed here.
  expect(timesFree, 'looks at a lock that was free while the process lived').toBeLessThan(2);
  expect(performance.now() - began).toBeLessThan(shutdownTimeoutMs + limits.stopMsMax);
  const said = server.program.output().slice(before);
  const lost = /"unsavedEvents":(\d+),"quantities":\{[^}]*"pulls":"(\d+)"[^}]*\}.*are lost with this process/.exec(
    said,
  );
  const isSaved = nemesis.mayPass === true && lost === null;
  expect(code, said).toBe(isSaved ? 0 : 1);
  expect(/^tonnage: \d+ counted events could not be saved within \d+ ms: /m.test(said), said).toBe(!isSaved);
  expect(said.split('\n').length).toBeLessThan(20);

  await nemesis.end();
  const again = await start(folder, config);
  await eventually('the totals are there', async () => (await again.pulls()).total === pulls - Number(lost?.[2] ?? 0));
  expect(await again.program.stop('SIGTERM')).toBe(0);
}

async function withRedis(name: string, use: (redis: RedisServer) => Promise<void>): Promise<void> {
  const redis = await startRedis(join(directory, name), { appendOnly: true });
  try {
    await use(redis);
  } finally {
    await redis.stop();
  }
}

const rounds = scaled(1, 4);

test.concurrent.each(Array.from({ length: rounds }, (_, round) => round))(
  'a stop ends while the disk of the embedded ledger answers with errors (%i)',
  (round) =>
    stopWhileCommitsFail(
      join(directory, `errors-${round}`),
      {},
      {
        begin: ({ pid }) => limitFiles(pid, 2_000),
        end: () => undefined,
      },
    ),
);

test.concurrent.each(Array.from({ length: rounds }, (_, round) => round))(
  'a stop ends while the disk of a journal in front of Redis answers with errors (%i)',
  (round) =>
    withRedis(`errors-redis-${round}`, (redis) =>
      stopWhileCommitsFail(
        join(directory, `errors-journal-${round}`),
        { store: { driver: 'redis', url: redis.url } },
        {
          begin: ({ pid }) => limitFiles(pid, 2_000),
          end: () => undefined,
        },
      ),
    ),
);

test.concurrent.each(Array.from({ length: rounds }, (_, round) => round))(
  'a stop ends while the outbox is full and Redis is away (%i)',
  (round) =>
    withRedis(`outbox-redis-${round}`, (redis) => {
      const store = { driver: 'redis', url: redis.url, outboxMax: '1MiB', outboxKeepBytes: '512KiB' };
      return stopWhileCommitsFail(
        join(directory, `outbox-${round}`),
        { store },
        {
          async begin(server) {
            await redis.kill();
            await fillOutbox(server);
          },
          end: () => redis.restart(),
        },
      );
    }),
);

const isRoot = process.getuid?.() === 0 && process.platform === 'linux';

test.runIf(isRoot)('a stop ends while the disk is full', async () => {
  for (let round = 0; round < rounds; round++) {
    const folder = join(directory, `full-${round}`);
    mkdirSync(join(folder, 'data'), { recursive: true });
    await withSmallDisk(join(folder, 'data'), 4 * 1024 * 1024, async () => {
      const ballast = join(folder, 'data', 'ballast');
      await stopWhileCommitsFail(
        folder,
        {},
        {
          begin: () => fillDisk(ballast),
          end: () => rmSync(ballast),
          // The image catalog closes before the ledger, and gives back the room of its write-ahead log.
          mayPass: true,
        },
      );
    });
  }
});

/** Writes until there is no room for another byte. */
function fillDisk(file: string): void {
  for (const bytes of [64 * 1024, 1_024, 1]) {
    try {
      for (;;) writeFileSync(file, Buffer.alloc(bytes), { flag: 'a' });
    } catch {
      // Full for pieces of this size.
    }
  }
}

/** Sends events until the outbox takes none, not even a small one. */
async function fillOutbox({ url }: Tonnage): Promise<void> {
  for (const events of [500, 20, 1]) {
    for (let isTaken = true; isTaken;) {
      const body = Array.from({ length: events }, () => {
        const data = { org: 'a.org', repository: `team/${'r'.repeat(100)}${++next}` };
        return { specversion: '1.0', type: 'tonnage.build', source: 'test', id: `${next}`, data };
      });
      const response = await fetch(`${url}/api/v1/events`, {
        method: 'POST',
        headers: { 'content-type': 'application/cloudevents-batch+json' },
        body: JSON.stringify(body),
      });
      const text = await response.text();
      isTaken = response.status === 200 || !text.includes('the outbox holds');
    }
  }
}
