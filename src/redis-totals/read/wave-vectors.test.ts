import { beforeEach, describe, expect, test } from 'vitest';
import { suiteRedis } from '../../../test/support/redis-suite.ts';
import { systemClock } from '../../base/index.ts';
import {
  formatDay,
  parseDay,
  parseWaveParameters,
  waveAnswer,
  waveMeters,
  type DimensionValues,
  type Increment,
  type WaveParameters,
  type WaveVersion,
} from '../../usage/index.ts';
import { importWave } from '../import/index.ts';
import { waveHash } from '../layout.ts';
import type { RedisLink } from '../../redis-link/index.ts';
import { BatchLog } from '../write/testing/batches.ts';
import { testWriter } from '../write/testing/writer.ts';
import { createRedisTotals } from './index.ts';
import { listOf, textOf } from '../reply.ts';
import { waveCommands } from './testing/fill.ts';

const redis = suiteRedis();
let link: RedisLink;
beforeEach(async () => void ({ link } = await redis.freshLink()));

const clock = systemClock;
const today = parseDay('2026-11-21') ?? Number.NaN;
const D = formatDay(today);
const bothVersions = ['v1alpha2', 'v1alpha3'] as const;

/** The events of Wave's controller test, the same for each meter. */
const controllerEvents: readonly DimensionValues[] = [
  { org: 'org1.com', arch: 'amd64' },
  { org: 'org1.com', arch: 'arm64' },
  { org: 'org2.com', arch: 'arm64' },
  {},
  { arch: 'arm64' },
  { org: 'org2.com' },
];
/** The events of Wave's service test. */
const serviceEvents: readonly DimensionValues[] = [
  { org: 'org1.com', arch: 'amd64' },
  { org: 'org2.com', arch: 'arm64' },
  {},
];

/** Two ways to write the same counts: Wave's commands with an import of its names, or the ledger's writer. */
const writers: Readonly<Record<string, (increments: readonly Increment[]) => Promise<void>>> = {
  async Wave(increments) {
    await link.pipeline(increments.flatMap(waveCommands));
    await importWave({ link, clock });
  },
  async Tonnage(increments) {
    const { writer } = testWriter(link, { detailsFrom: () => today - 400 });
    const batchLog = new BatchLog();
    batchLog.add(increments);
    const delivered = await writer.deliver(batchLog.batches);
    expect(delivered).toEqual({ kind: 'delivered', rejected: [] });
  },
};

function onEveryMeter(events: readonly DimensionValues[]): readonly Increment[] {
  const counts = Map.groupBy(events, (dimensions) => JSON.stringify(dimensions));
  return waveMeters.flatMap((meter) =>
    [...counts.values()].map((same) => ({
      meter,
      day: today,
      quantity: BigInt(same.length),
      dimensions: same[0] ?? {},
    })),
  );
}

/** Queries as Wave's routes do. Returns the members of their JSON. */
async function ask(version: WaveVersion, metric: string, parameters: WaveParameters): Promise<object> {
  const asked = parseWaveParameters(version, metric, parameters);
  if ('refusal' in asked) return asked;
  const { date, org, arch } = asked;
  const day = date === undefined ? undefined : parseDay(date);
  const { rows } = await createRedisTotals({ link, clock }).query(
    {
      meter: metric,
      ...(date === undefined ? { allTime: true } : { from: day ?? 0, to: (day ?? -1) + 1 }),
      window: 'total',
      by: ['org'],
      where: { ...(org !== undefined && { org }), ...(arch !== undefined && { arch }) },
      limit: 10_000,
      offset: 0,
    },
    today,
  );
  const { orgs, count, ...rest } = waveAnswer(asked, rows);
  const members = orgs && [...orgs].map(([name, value]) => [name, Number(value)] as const);
  return { ...rest, count: Number(count), ...(members && { orgs: Object.fromEntries(members) }) };
}

/** One query: parameters, then the expected count, organisations and architecture. */
type Vector = readonly [WaveParameters, number, Readonly<Record<string, number>>?, string?];

const two = { 'org1.com': 2, 'org2.com': 2 };
const one = { 'org1.com': 1, 'org2.com': 1 };
/** Queries of both versions. */
const controllerVectors: readonly Vector[] = [
  [{ date: D }, 6, two],
  [{ date: D, org: 'org1.com' }, 2, { 'org1.com': 2 }],
  [{ org: 'org1.com' }, 2, { 'org1.com': 2 }],
  [{ org: 'org2.com' }, 2, { 'org2.com': 2 }],
  [{}, 4, two],
  [{ org: 'absent.org' }, 0, { 'absent.org': 0 }],
  [{ org: 'ORG1.COM' }, 0, { 'ORG1.COM': 0 }],
  [{ date: '1999-01-01' }, 0],
  [{ date: '2024-99-99' }, 0],
  [{ date: '', org: '' }, 4, two],
];
/** Queries that only v1alpha3 has. */
const architectureVectors: readonly Vector[] = [
  [{ date: D, arch: 'arm64' }, 3, one, 'arm64'],
  [{ date: D, arch: 'amd64' }, 1, { 'org1.com': 1 }, 'amd64'],
  [{ date: D, org: 'org1.com', arch: 'amd64' }, 1, { 'org1.com': 1 }, 'amd64'],
  [{ date: D, org: 'org1.com', arch: 'arm64' }, 1, { 'org1.com': 1 }, 'arm64'],
  [{ org: 'org1.com', arch: 'amd64' }, 1, { 'org1.com': 1 }, 'amd64'],
  [{ org: 'org1.com', arch: 'arm64' }, 1, { 'org1.com': 1 }, 'arm64'],
  [{ arch: 'arm64' }, 3, one, 'arm64'],
  [{ arch: 'amd64' }, 1, { 'org1.com': 1 }, 'amd64'],
  [{ org: 'org2.com', arch: 'arm64' }, 1, { 'org2.com': 1 }, 'arm64'],
  [{ org: 'org2.com', arch: 'amd64' }, 0, { 'org2.com': 0 }, 'amd64'],
  [{ arch: 'aarch64' }, 3, one, 'arm64'],
  [{ arch: 'x86_64', org: 'org1.com' }, 1, { 'org1.com': 1 }, 'amd64'],
  [{ arch: 'arm' }, 3, one, 'arm64'],
];
const serviceVectors: readonly Vector[] = [
  [{}, 2, one],
  [{ date: D }, 3, one],
  [{ org: 'org1.com' }, 1, { 'org1.com': 1 }],
  [{ date: D, org: 'org2.com' }, 1, { 'org2.com': 1 }],
  [{ org: 'org1.com', arch: 'amd64' }, 1, { 'org1.com': 1 }, 'amd64'],
  [{ date: D, org: 'org2.com', arch: 'arm64' }, 1, { 'org2.com': 1 }, 'arm64'],
  [{ date: D, arch: 'arm64' }, 1, { 'org2.com': 1 }, 'arm64'],
  [{ arch: 'amd64' }, 1, { 'org1.com': 1 }, 'amd64'],
];

function answerOf(metric: string, [, count, orgs, arch]: Vector): object {
  return { metric, ...(arch !== undefined && { arch }), count, ...(orgs && { orgs }) };
}

describe.each(Object.keys(writers))('counted by %s', (name) => {
  const count = (events: readonly DimensionValues[]) => writers[name]?.(onEveryMeter(events));

  test("the hash has exactly Wave's 75 fields", async () => {
    await count(controllerEvents);
    const pairs = listOf(await link.send({ args: ['HGETALL', waveHash] })).map(textOf);
    const found = Object.fromEntries(
      pairs.flatMap((field, at) => (at % 2 === 0 ? [[field, Number(pairs[at + 1])]] : [])),
    );
    expect(found).toEqual(Object.fromEntries(waveMeters.flatMap((meter) => Object.entries(controllerFields(meter)))));
    expect(Object.keys(found)).toHaveLength(75);
  });

  test.each(waveMeters)('the answers of both versions on %s', async (metric) => {
    await count(controllerEvents);
    for (const version of bothVersions) {
      for (const vector of controllerVectors) {
        expect(await ask(version, metric, vector[0])).toEqual(answerOf(metric, vector));
      }
    }
    for (const vector of architectureVectors) {
      expect(await ask('v1alpha3', metric, vector[0])).toEqual(answerOf(metric, vector));
    }
    // v1alpha2 has no architecture in its parameters and answers.
    expect(await ask('v1alpha2', metric, { arch: 'arm64' })).toEqual({ metric, count: 4, orgs: two });
  });

  test.each(waveMeters)('the answers of the service on %s', async (metric) => {
    await count(serviceEvents);
    for (const vector of serviceVectors) {
      expect(await ask('v1alpha3', metric, vector[0])).toEqual(answerOf(metric, vector));
    }
  });

  test('nothing counted', async () => {
    for (const version of bothVersions) {
      expect(await ask(version, 'pulls', {})).toEqual({ metric: 'pulls', count: 0 });
    }
    expect(await ask('v1alpha3', 'pulls', { arch: 'amd64' })).toEqual({
      metric: 'pulls',
      arch: 'amd64',
      count: 0,
    });
  });

  test('an event without an organisation counts for its day only', async () => {
    await count([{}]);
    expect(await ask('v1alpha2', 'pulls', { date: D })).toEqual({ metric: 'pulls', count: 1 });
  });
});

describe("single fields, as in the tests of Wave's store", () => {
  beforeEach(async () => {
    const fields = `builds/o/foo.com builds/o/bar.org pulls/o/bar.in pulls/o/foo.com/d/2024-05-29 builds/o/bar.org/d/2024-05-30
      fusion/o/bar.in/d/2024-05-30 pulls/o/bar.in/d/2024-05-31 builds/a/arm64 builds/a/amd64 builds/a/arm64/d/2024-05-30
      pulls/o/bar.in/a/amd64 pulls/o/foo.com/a/arm64 pulls/o/foo.com/a/amd64/d/2024-05-29
      builds/o/bar.org/a/arm64/d/2024-05-30 fusion/o/bar.in/a/amd64/d/2024-05-30 pulls/o/bar.in/a/arm64/d/2024-05-31`;
    await link.send({ args: ['HSET', waveHash, ...fields.split(/\s+/).flatMap((field) => [field, '1'])] });
    await importWave({ link, clock });
  });

  test.each([
    ['builds', {}, { count: 2, orgs: { 'foo.com': 1, 'bar.org': 1 } }],
    ['pulls', {}, { count: 1, orgs: { 'bar.in': 1 } }],
    ['fusion', {}, { count: 0 }],
    ['builds', { date: '2024-05-30' }, { count: 1, orgs: { 'bar.org': 1 } }],
    ['builds', { arch: 'arm64' }, { arch: 'arm64', count: 1 }],
    ['pulls', { arch: 'amd64' }, { arch: 'amd64', count: 1, orgs: { 'bar.in': 1 } }],
    ['fusion', { date: '2024-05-30', arch: 'amd64' }, { arch: 'amd64', count: 1, orgs: { 'bar.in': 1 } }],
  ])('%s %j', async (metric, parameters, expected) => {
    expect(await ask('v1alpha3', metric, parameters)).toEqual({ metric, ...expected });
  });
});

/** The fields of the hash after the events of the controller test, for one meter. */
function controllerFields(meter: string): Readonly<Record<string, number>> {
  const fields = {
    [`d/${D}`]: 6,
    'a/amd64': 1,
    [`a/amd64/d/${D}`]: 1,
    'a/arm64': 3,
    [`a/arm64/d/${D}`]: 3,
    'o/org1.com': 2,
    [`o/org1.com/d/${D}`]: 2,
    'o/org1.com/a/amd64': 1,
    [`o/org1.com/a/amd64/d/${D}`]: 1,
    'o/org1.com/a/arm64': 1,
    [`o/org1.com/a/arm64/d/${D}`]: 1,
    'o/org2.com': 2,
    [`o/org2.com/d/${D}`]: 2,
    'o/org2.com/a/arm64': 1,
    [`o/org2.com/a/arm64/d/${D}`]: 1,
  };
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [`${meter}/${name}`, value]));
}
