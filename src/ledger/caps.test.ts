import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { limits, systemClock } from '../base/index.ts';
import { parseUsageQuery, type Dimension, type DimensionValues, type UsageEvent } from '../usage/index.ts';
import { Caps } from './caps.ts';
import type { Ledger, LedgerOptions } from './index.ts';
import { openTestLedger, ownStore } from './testing/fixture.ts';

const day = 20_778;

function keeper(caps: Caps, folded: Dimension[] = []) {
  return (values: DimensionValues, isStated = false) =>
    caps.keep({ day, org: values.org, isStated }, values, (dimension) => folded.push(dimension));
}

describe('caps', () => {
  test('belong to one organisation: no other organisation loses a value to them', () => {
    const folded: Dimension[] = [];
    const keep = keeper(new Caps({ repository: 3 }), folded);
    const kept = (org: string | undefined, repository: string) =>
      keep({ ...(org !== undefined && { org }), repository }).repository;
    for (const repository of ['a', 'b', 'c', 'd']) kept('flood.org', repository);
    for (const repository of ['e', 'f', 'g', 'h']) kept(undefined, repository);
    expect(folded).toEqual(['repository', 'repository']);
    expect([kept('b.org', 'd'), kept('b.org', 'h'), kept('flood.org', 'a'), kept(undefined, 'a')]).toEqual([
      'd',
      'h',
      'a',
      '__other__',
    ]);
  });

  test('of all organisations together leave each organisation its share', () => {
    const cap = 100;
    const keep = keeper(new Caps({ repository: cap }));
    const fill = (org: string, count: number): number => {
      const kept = Array.from({ length: count }, (_, index) => keep({ org, repository: `r${index}` }).repository);
      return kept.filter((repository) => repository !== '__other__').length;
    };
    const full = Array.from({ length: limits.fullOrganisationsPerDay }, (_, index) =>
      fill(`flood${index}.org`, cap + 1),
    );
    expect(full).toEqual(full.map(() => cap));
    const share = cap / limits.organisationShareDivisor;
    expect([fill('late.org', cap), fill('later.org', cap)]).toEqual([share, share]);
  });

  test.each([
    ['arch', 'riscv64', undefined],
    ['arch', 'amd64', 'flood.org'],
    ['upstream', 'docker.io', 'flood.org'],
  ] as const)('do not apply to the known %s %s (organisation %s)', (dimension, value, org) => {
    const keep = keeper(new Caps({ arch: 2, upstream: 2 }, 1, { upstream: ['docker.io'] }));
    const values = (each: string) => ({ ...(org !== undefined && { org }), [dimension]: each });
    for (const made of ['x1', 'x2', 'x3']) keep(values(made));
    expect(keep(values(value))).toEqual(values(value));
    expect(keep(values('x4'))[dimension]).toBe('__other__');
  });

  test('do not apply to known values, even when these are read back', () => {
    const caps = new Caps({ arch: 2 });
    const held = ['amd64', 'arm64', '__other__', 'x1'].map((value) => ({
      value,
      org: 'a.org',
      own: true,
      stated: false,
    }));
    caps.remember(day, new Map([['arch', held]]));
    const keep = keeper(caps);
    const arch = (value: string) => keep({ org: 'a.org', arch: value }).arch;
    expect([arch('x2'), arch('x3'), arch('x1'), arch('s390x')]).toEqual(['x2', '__other__', 'x1', 's390x']);
  });

  test('of stated values and anonymous pulls leave room for what the credentials of the organisation send', () => {
    const keep = keeper(new Caps({ repository: 2 }));
    const kept = (org: string | undefined, repository: string, isStated: boolean) =>
      keep({ ...(org !== undefined && { org }), repository }, isStated).repository;
    const flood = ['m1', 'm2', 'm3'];
    expect(flood.map((made) => kept('a.org', made, true))).toEqual(['m1', 'm2', '__other__']);
    expect([kept('a.org', 'own', false), kept('a.org', 'own', true), kept('a.org', 'm1', false)]).toEqual([
      'own',
      'own',
      'm1',
    ]);
    expect(flood.map((made) => kept(undefined, made, false))).toEqual(['m1', 'm2', '__other__']);
    expect(kept(undefined, 'sent', true)).toBe('sent');
  });

  test('of stated organisations leave room for organisations with their own credentials', () => {
    const keep = keeper(new Caps({ org: 2 }, 1, { org: ['configured.org'] }));
    const org = (value: string, isStated: boolean) => keep({ org: value }, isStated).org;
    expect(['m1.org', 'm2.org', 'm3.org'].map((made) => org(made, true))).toEqual(['m1.org', 'm2.org', '__other__']);
    expect([org('own.org', false), org('own.org', true), org('configured.org', true)]).toEqual([
      'own.org',
      'own.org',
      'configured.org',
    ]);
  });
});

describe('a ledger', () => {
  const now = Date.parse('2026-11-21T12:00:00Z');
  const clock = { now: () => now, monotonic: () => systemClock.monotonic() };
  const own = ownStore({ clock });
  let ledger: Ledger;
  let ids = 0;

  const open = async (options: Partial<LedgerOptions> = {}) => {
    const known = { upstream: ['docker.io'] };
    ledger = await openTestLedger(own.store, { clock, dimensions: ['org', 'arch', 'upstream'], known, ...options });
  };
  beforeEach(() => open());
  afterEach(() => ledger.close(10_000));

  const event = (tenant: string | undefined, dimensions: DimensionValues): UsageEvent => {
    const identity = { kind: 'usage', source: 'ci', id: String(ids++), meter: 'scans', time: now } as const;
    return { ...identity, ...(tenant !== undefined && { tenant }), quantity: 1n, dimensions };
  };

  async function rowsOf(org: string): Promise<readonly (readonly (string | null | undefined)[])[]> {
    const { rows } = await ledger.query(parseUsageQuery('scans', { by: 'arch,upstream', org, limit: '10000' }));
    return rows.map(({ dimensions: { arch, upstream } }) => [arch, upstream]);
  }

  test('keeps the values of an organisation however many another one made up, even after a restart', async () => {
    const made = Array.from({ length: limits.upstreamsPerDayMax + 10 }, (_, index) =>
      event('flood.org', { org: 'flood.org', arch: `zz${index % 90}`, upstream: `u${index}` }),
    );
    await ledger.ingest(made);
    await ledger.ingest([event('a.org', { org: 'a.org', arch: 'amd64', upstream: 'docker.io' })]);
    await ledger.close(10_000);
    await own.reopen();
    await open();
    await ledger.ingest([
      event('a.org', { org: 'a.org', arch: 'riscv128', upstream: 'registry.a.org' }),
      event('flood.org', { org: 'flood.org', arch: 'zz91', upstream: 'late' }),
      event('flood.org', { org: 'flood.org', arch: 'arm64', upstream: 'docker.io' }),
    ]);
    expect(await rowsOf('a.org')).toEqual([
      ['amd64', 'docker.io'],
      ['riscv128', 'registry.a.org'],
    ]);
    const flood = await rowsOf('flood.org');
    expect(flood).toContainEqual(['arm64', 'docker.io']);
    expect(flood).toContainEqual(['__other__', '__other__']);
    expect(flood).not.toContainEqual(['__other__', 'late']);
  });

  test('keeps an organisation whose name comes after ten thousand made-up ones, even after a restart', async () => {
    const made = Array.from({ length: limits.orgsPerDayMax + 1 }, (_, index) =>
      event(undefined, { org: `made${index}.example` }),
    );
    await ledger.ingest(made);
    await ledger.ingest([event('a.org', { org: 'a.org' })]);
    await ledger.close(10_000);
    await own.reopen();
    await open();
    await ledger.ingest([event('b.org', { org: 'b.org' }), event(undefined, { org: 'last.example' })]);
    const total = async (org: string) => (await ledger.query(parseUsageQuery('scans', { org }))).total;
    const orgs = ['a.org', 'b.org', 'made0.example', 'last.example', '__other__'];
    expect(await Promise.all(orgs.map(total))).toEqual([1n, 1n, 1n, 0n, 2n]);
  });
});
