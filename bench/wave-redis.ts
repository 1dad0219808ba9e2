/**
 * A Redis in which Wave has left 1,000,250 fields, of 250 organisations: how long our answer about all organisations
 * takes, and how long walking through the whole hash for it, both over the same connection, in turns. Checked on the way:
 * our answer is complete, and what Wave itself reads (one slice) is not.
 */
import { join } from 'node:path';
import { systemClock } from '../src/base/index.ts';
import { formatDay, parseDay, waveFieldName, type UsageQuery } from '../src/usage/index.ts';
import { importWave } from '../src/redis-totals/import/index.ts';
import { waveHash } from '../src/redis-totals/layout.ts';
import { createRedisTotals } from '../src/redis-totals/read/index.ts';
import { listOf, textOf } from '../src/redis-totals/reply.ts';
import { connectTestLink } from '../test/support/redis-link.ts';
import { startRedis } from '../test/support/redis.ts';
import { caseLine } from './support/cases.ts';
import { benchDirectory } from './support/ledger.ts';
import { describe, inTurns, type Candidate } from './support/turns.ts';

const rounds = 5;
const organisations = Array.from({ length: 250 }, (_, index) => `org${index}.example.org`);
const days = 2_000;
const fieldsPerCommand = 5_000;
const firstDay = parseDay('2021-01-01') ?? Number.NaN;
const today = parseDay('2026-11-21') ?? Number.NaN;
const oneDay = firstDay + 1_000;
const meter = 'pulls';
const allOrganisations = { meter, window: 'total', by: ['org'], where: {}, limit: 10_000, offset: 0 } as const;

const redis = await startRedis(join(benchDirectory(), 'redis'));
const { link } = await connectTestLink({ mode: 'standalone', url: redis.url });
try {
  await fill();
  await measure();
} finally {
  await link.close();
  await redis.stop();
}

/** One field for each organisation, and two for each of its days: of the day, and of an architecture on it. */
async function fill(): Promise<void> {
  const fields = organisations.flatMap((org) => {
    const ofDays = Array.from({ length: days }, (_, index) => [
      waveFieldName({ meter, org, day: firstDay + index }),
      waveFieldName({ meter, org, arch: 'amd64', day: firstDay + index }),
    ]);
    return [waveFieldName({ meter, org }), ...ofDays.flat()].map((name) => name ?? '');
  });
  for (let at = 0; at < fields.length; at += fieldsPerCommand) {
    const pairs = fields.slice(at, at + fieldsPerCommand).flatMap((field) => [field, '7']);
    await link.send({ key: waveHash, args: ['HSET', waveHash, ...pairs] });
  }
  const length = Number(await link.send({ key: waveHash, args: ['HLEN', waveHash] }));
  if (length !== 1_000_250) throw new Error(`expected 1,000,250 fields, got ${length}`);
}

async function measure(): Promise<void> {
  const began = performance.now();
  const { scanned, meters } = await importWave({ link, clock: systemClock });
  const seconds = ((performance.now() - began) / 1_000).toFixed(1);
  console.log(`import: ${scanned} fields in ${seconds} s; ${meters[0]?.organisations} organisations found`);

  const slice = await link.send({ args: ['HSCAN', waveHash, '0', 'MATCH', `${meter}/o/*`, 'COUNT', '10000'] });
  const inSlice = new Set(organisationsIn(listOf(listOf(slice)[1]), ''));
  console.log(`one slice, which is all that Wave reads: ${inSlice.size} of ${organisations.length} organisations`);

  const questions: readonly (readonly [string, UsageQuery, string])[] = [
    ['all organisations', { ...allOrganisations, allTime: true }, ''],
    ['all organisations on one day', { ...allOrganisations, from: oneDay, to: oneDay + 1 }, `/d/${formatDay(oneDay)}`],
  ];
  const lines: string[] = [];
  for (const [name, query, suffix] of questions) {
    console.log(name);
    const measured = await inTurns([asked(query), walked(suffix)], rounds);
    for (const one of measured) console.log(`  ${describe(one, 'ms')}`);
    const [ours, peer] = measured.map(({ median }) => median);
    const figures = { ours: ours ?? Number.NaN, peer: peer ?? Number.NaN, unit: 'ms', better: 'lower' } as const;
    lines.push(caseLine({ bench: 'wave-redis', case: `${name} vs a walk through the hash`, ...figures }));
  }
  for (const line of lines) console.log(line);
}

/** Our answer. Asked ten times, since one is over before a clock can tell. */
function asked(query: UsageQuery): Candidate {
  const totals = createRedisTotals({ link, clock: systemClock });
  const times = 10;
  return {
    name: 'tonnage',
    async measure() {
      const start = performance.now();
      for (let n = 0; n < times; n++) {
        const { rows, total } = await totals.query(query, today);
        if (rows.length !== organisations.length || total !== 7n * BigInt(organisations.length)) {
          throw new Error(`expected ${organisations.length} organisations with 7 each, got ${rows.length}, ${total}`);
        }
      }
      return (performance.now() - start) / times;
    },
  };
}

/** What Wave would have to do: all slices that its pattern asks for, to the end. `suffix`: what follows an organisation. */
function walked(suffix: string): Candidate {
  const pattern = `${meter}/o/*${suffix}`;
  return {
    name: 'walk of the hash',
    async measure() {
      const start = performance.now();
      const found = new Set<string>();
      let cursor = '0';
      do {
        const args = ['HSCAN', waveHash, cursor, 'MATCH', pattern, 'COUNT', '10000'];
        const [next, elements] = listOf(await link.send({ key: waveHash, args }));
        for (const org of organisationsIn(listOf(elements), suffix)) found.add(org);
        cursor = textOf(next);
      } while (cursor !== '0');
      if (found.size !== organisations.length) throw new Error(`the walk found ${found.size} organisations`);
      return performance.now() - start;
    },
  };
}

/** Organisations of fields that have nothing but the suffix behind them; Wave drops the others too. */
function organisationsIn(elements: readonly unknown[], suffix: string): readonly string[] {
  const prefix = `${meter}/o/`;
  return elements.flatMap((element, at) => {
    const field = String(element);
    if (at % 2 === 1 || !field.startsWith(prefix) || !field.endsWith(suffix)) return [];
    const org = field.slice(prefix.length, field.length - suffix.length);
    return org.includes('/') ? [] : [org];
  });
}
