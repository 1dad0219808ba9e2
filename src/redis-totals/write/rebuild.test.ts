import { beforeEach, describe, expect, it } from 'vitest';
import { scaled } from '../../../test/support/long.ts';
import { startCutter } from '../../../test/support/redis-cutter.ts';
import { answered, closeLinks, connectTestLink } from '../../../test/support/redis-link.ts';
import { suiteRedis } from '../../../test/support/redis-suite.ts';
import { formatDay } from '../../usage/index.ts';
import type { RedisLink } from '../../redis-link/index.ts';
import { BatchLog, firstDay, increment, randomLog, tokenOf } from './testing/batches.ts';
import { expectedSums, readState, sumsOf } from './testing/model.ts';
import { ownCountsOf } from './testing/own-counts.ts';
import { breakingLink, repeatingLink } from './testing/repeating-link.ts';
import { testWriter } from './testing/writer.ts';

const redis = suiteRedis();
let link: RedisLink;

beforeEach(async () => void ({ link } = await redis.freshLink()));

const delivered = { kind: 'delivered', rejected: [] };

describe('a rebuild', () => {
  const log = randomLog(1, 40);
  const other = randomLog(2, 25);

  it.each([
    { what: 'is empty', prepare: async () => undefined },
    {
      what: 'is an old backup',
      prepare: async () => void (await testWriter(link).writer.deliver(log.read(0, 20))),
    },
    {
      what: 'is up to date',
      prepare: async () => void (await testWriter(link).writer.deliver(log.batches)),
    },
    {
      what: 'has days that the ledger never counted',
      prepare: async () => {
        const otherDays = new BatchLog();
        const days = [firstDay - 1, firstDay - 90, firstDay + 40];
        otherDays.add(
          days.map((day) => increment('pulls', day, { org: 'z.example', arch: 'arm', repository: 'z' }, 7)),
        );
        await testWriter(link).writer.deliver(otherDays.batches);
      },
    },
  ])('corrects a Redis that $what, and keeps the counts of others', async ({ prepare }) => {
    await testWriter(link, { ledgerId: 'two', shared: true }).writer.deliver(other.batches);
    await link.send({ key: 'metrics/v1', args: ['HINCRBY', 'metrics/v1', 'pulls/o/a.example', '1000'] });
    await prepare();
    const { writer } = testWriter(link, { shared: true });
    const seen: number[] = [];
    const rebuilt = await writer.rebuild(ownCountsOf(log.batches), log.lastId, ({ days }) => void seen.push(days));
    expect(rebuilt.rejected).toBe(0);
    expect(seen).toEqual(Array.from({ length: rebuilt.days }, (_, index) => index + 1));

    await link.send({ key: 'metrics/v1', args: ['HINCRBY', 'metrics/v1', 'pulls/o/a.example', '-1000'] });
    expect(sumsOf(await readState(link))).toEqual(expectedSums([log.countsOf(), other.countsOf('two')]));
    expect(await writer.position()).toBe(log.last);

    const more = randomLog(1, 60); // the same forty batches, and twenty more
    expect(await writer.deliver(more.read(30))).toEqual(delivered);
    expect(sumsOf(await readState(link))).toEqual(expectedSums([more.countsOf(), other.countsOf('two')]));
  });

  it('ignores a call that arrives twice or late', async () => {
    const { link: twice, replay } = repeatingLink(link);
    const { writer } = testWriter(twice);
    await testWriter(link).writer.deliver(log.read(0, 10));
    await writer.rebuild(ownCountsOf(log.batches), log.lastId);
    expect(sumsOf(await readState(link))).toEqual(expectedSums([log.countsOf()]));
    await replay();
    expect(sumsOf(await readState(link))).toEqual(expectedSums([log.countsOf()]));
    expect(await writer.position()).toBe(log.last);
  });

  it('ignores late calls of an interrupted attempt', async () => {
    const short = randomLog(5, 4, 3);
    let isWhole = false;
    for (let calls = 1; !isWhole; calls += 1) {
      await link.send({ args: ['FLUSHALL'] });
      const { link: broken, late } = breakingLink(link, calls);
      const old = testWriter(broken).writer.rebuild(ownCountsOf(short.read(0, 2)), { number: 2, token: tokenOf(2) });
      isWhole = await old.then(
        () => true,
        () => false,
      );
      await testWriter(link).writer.rebuild(ownCountsOf(short.batches), short.lastId);
      await late().catch(() => undefined);
      expect(sumsOf(await readState(link))).toEqual(expectedSums([short.countsOf()]));
      expect(await testWriter(link).writer.position()).toBe(short.last);
    }
  });

  it('reports what it changed', async () => {
    const { writer } = testWriter(link);
    await writer.deliver(log.batches);
    expect(await writer.rebuild(ownCountsOf(log.batches), log.lastId)).toMatchObject({ adjusted: 0, rejected: 0 });
    const key = `{metrics/v1}:own:one:day:pulls:${formatDay(firstDay)}`;
    const [field] = (await link.send({ key, args: ['HKEYS', key] })) as readonly string[];
    await link.send({ key, args: ['HINCRBY', key, field ?? '', '3'] });
    expect(await writer.rebuild(ownCountsOf(log.batches), log.lastId)).toMatchObject({ adjusted: 1, rejected: 0 });
  });

  it('keeps fields that it cannot change, reports their number, and corrects them after their repair', async () => {
    await redis.server.cli('hset', 'metrics/v1', 'pulls/o/a.example', 'text');
    await testWriter(link, { ledgerId: 'two', shared: true }).writer.deliver(other.read(0, 10));
    const { writer } = testWriter(link, { shared: true });
    await writer.deliver(log.read(0, 10));
    const whose = async () => {
      const entries = (await readState(link))['{metrics/v1}:rejected'] as readonly string[];
      return new Set(entries.map((entry) => (JSON.parse(entry) as { ledger: string }).ledger));
    };
    expect(await whose()).toEqual(new Set(['one', 'two']));
    const { rejected } = await writer.rebuild(ownCountsOf(log.batches), log.lastId);
    expect(rejected).toBeGreaterThan(0);
    expect(await whose()).toEqual(new Set(['one', 'two']));
    await redis.server.cli('hdel', 'metrics/v1', 'pulls/o/a.example');
    expect(await writer.rebuild(ownCountsOf(log.batches), log.lastId)).toMatchObject({
      adjusted: rejected,
      rejected: 0,
    });
    expect(await whose()).toEqual(new Set(['two']));
    const two = testWriter(link, { ledgerId: 'two', shared: true }).writer;
    await two.rebuild(ownCountsOf(other.read(0, 10)), { number: 10, token: tokenOf(10) });
    expect((await readState(link))['{metrics/v1}:rejected']).toBeUndefined();
    const counts = { ledgerId: 'two', increments: other.read(0, 10).flatMap(({ increments }) => increments) };
    expect(sumsOf(await readState(link))).toEqual(expectedSums([log.countsOf(), counts]));
  });

  it('adds to shared fields what they lacked once they can take it, and adjusts all other fields before', async () => {
    const field = `pulls/d/${formatDay(firstDay)}`;
    await redis.server.cli('hset', 'metrics/v1', field, 'text');
    const { writer } = testWriter(link);
    await writer.deliver(log.read(0, 10));
    const own = ownCountsOf(log.batches);
    expect(await writer.rebuild(own, log.lastId)).toMatchObject({ rejected: 1 });
    const { [field]: _, ...totals } = expectedSums([log.countsOf()])['metrics/v1'] as Record<string, string>;
    expect((await readState(link))['metrics/v1']).toEqual({ ...totals, [field]: 'text' });
    await redis.server.cli('hdel', 'metrics/v1', field);
    expect(await writer.rebuild(own, log.lastId)).toMatchObject({ adjusted: 0, rejected: 0 });
    expect(sumsOf(await readState(link))).toEqual(expectedSums([log.countsOf()]));
    expect(await readState(link)).not.toHaveProperty('{metrics/v1}:rejected');
    expect(await readState(link)).not.toHaveProperty('{metrics/v1}:lacking:one');
  });

  it('writes the details of kept days only', async () => {
    const detailsFrom = firstDay + 2;
    const { writer } = testWriter(link);
    await writer.deliver(log.batches);
    await testWriter(link, { detailsFrom: () => detailsFrom }).writer.rebuild(ownCountsOf(log.batches), log.lastId);
    expect(sumsOf(await readState(link))).toEqual(expectedSums([log.countsOf()], detailsFrom));
  });

  it('may be interrupted at any byte and started again; nothing is delivered before it has finished', async () => {
    const short = randomLog(3, 12);
    let bytes = 100;
    for (let isDone = false; !isDone; bytes = Math.ceil(bytes * scaled(2, 1.2))) {
      await redis.server.cli('flushall');
      await testWriter(link).writer.deliver(short.read(0, 5));
      const cutter = await startCutter(redis.server.port);
      const through = await connectTestLink({ mode: 'standalone', url: `redis://127.0.0.1:${cutter.port}` });
      const { writer } = testWriter(through.link);
      const half = () => writer.rebuild(ownCountsOf(short.batches), short.lastId);
      for (const side of ['sent', 'received'] as const) {
        await writer.position().catch(() => 0);
        if (side === 'sent') cutter.cutAfterSent(bytes);
        else cutter.cutAfterReceived(Math.ceil(bytes / 10));
        const outcome = await half().then(
          () => 'done',
          (error: unknown) => error,
        );
        cutter.cutAfterSent(Infinity);
        cutter.cutAfterReceived(Infinity);
        isDone = outcome === 'done';
        const position = await answered(() => writer.position()).catch((error: unknown) => error);
        const codes = [5, short.last, expect.objectContaining({ code: 'store_rebuilding' })];
        expect(codes).toContainEqual(position);
      }
      await half();
      expect(sumsOf(await readState(link))).toEqual(expectedSums([short.countsOf()]));
      await closeLinks();
      await cutter.stop();
      ({ link } = await connectTestLink({ mode: 'standalone', url: redis.server.url }));
    }
    expect(bytes).toBeGreaterThan(10_000);
  });

  it('is exact while Wave writes', async () => {
    const { writer } = testWriter(link);
    let isDone = false;
    let raised = 0;
    const wave = (async () => {
      while (!isDone) {
        await link.send({ key: 'metrics/v1', args: ['HINCRBY', 'metrics/v1', 'pulls/o/a.example', '1'] });
        raised += 1;
      }
    })();
    await writer.rebuild(ownCountsOf(log.batches), log.lastId);
    isDone = true;
    await wave;
    expect(raised).toBeGreaterThan(0);
    await link.send({ key: 'metrics/v1', args: ['HINCRBY', 'metrics/v1', 'pulls/o/a.example', String(-raised)] });
    expect(sumsOf(await readState(link))).toEqual(expectedSums([log.countsOf()]));
  });
});

it('erases an organisation from sums, index and rejected changes, and nothing else', async () => {
  const meters = ['builds', 'egress_bytes', 'fusion', 'pulls'];
  const log = randomLog(4, 40);
  const wave = ['HINCRBY', 'metrics/v1', 'pulls/o/a.example', '1000'];
  await link.send({ key: 'metrics/v1', args: wave });
  await redis.server.cli('hset', 'metrics/v1', 'pulls/o/b.example', 'text');
  const { writer } = testWriter(link);
  await writer.deliver(log.batches);
  const before = await readState(link);
  await writer.eraseNames('a.example', meters);
  await writer.eraseNames('b.example', meters);
  const after = await readState(link);
  expect(JSON.stringify([after['metrics/v1'], after['{metrics/v1}:others']])).not.toMatch(/[ab]\.example/);
  expect(JSON.stringify(after['{metrics/v1}:rejected'])).not.toContain('b.example');
  expect(after['{metrics/v1}:rejected']).toHaveLength(before['{metrics/v1}:rejected']?.length as number);
  expect(after['{metrics/v1}:index:orgs:pulls']).toEqual(['__other__', 'c.example']);
  const others = Object.entries(before['metrics/v1'] ?? {}).filter(([field]) => !/\/o\/[ab]\.example/.test(field));
  expect(after['metrics/v1']).toEqual(Object.fromEntries(others));
});
