import { afterEach, expect, test } from 'vitest';
import { endsWithin } from '../base/index.ts';
import { encode, openMetrics, parse, prometheusText } from '../exposition/index.ts';
import { lint } from '../metric/index.ts';
import type { Collector } from './contract.ts';
import { takeSnapshot, withNames } from './snapshot.ts';

/** What a driver hands to the suite. */
export interface CollectorFixture {
  /** A collector over a source that can be read. */
  readonly open: () => Promise<Collector> | Collector;
  /** Advice of the naming lint that a driver cannot follow, since others have fixed its names: `name: message`. */
  readonly unheeded?: readonly string[];
}

/** How long a read may go on whose signal is aborted, on a machine that is busy with other things. */
const abortedMsMax = 20_000;

/** The contract of `Collector`, as tests: each driver's own test file calls this once. */
export function collectorConformance({ open, unheeded = [] }: CollectorFixture): void {
  const opened: Collector[] = [];
  const newCollector = async (): Promise<Collector> => {
    const collector = await open();
    opened.push(collector);
    return collector;
  };
  const read = async (collector: Collector) => takeSnapshot(await collector.collect(new AbortController().signal));
  afterEach(async () => {
    for (const collector of opened.splice(0)) await collector.close?.();
  });

  test('what it finds is valid and does not clash', async () => {
    const { families } = await read(await newCollector());
    expect(families.length).toBeGreaterThan(0);
    expect(() => withNames(undefined, families)).not.toThrow();
  });

  test.each([
    ['OpenMetrics', openMetrics, 'openmetrics'],
    ['Prometheus text', prometheusText, 'text'],
  ] as const)('a strict reader of %s takes what it finds', async (_, format, syntax) => {
    const { families } = await read(await newCollector());
    const parsed = parse(Buffer.concat([...encode(families, format)]), { format: syntax });
    expect(parsed.length).toBeGreaterThanOrEqual(families.length);
  });

  test('its families are well named', async () => {
    const findings = lint((await read(await newCollector())).families);
    expect(findings.map(({ family, message }) => `${family.name}: ${message}`)).toEqual(unheeded);
  });

  test('a second read finds the same families', async () => {
    const collector = await newCollector();
    const names = async () => (await read(collector)).families.map(({ type, name }) => `${type} ${name}`);
    expect(await names()).toEqual(await names());
  });

  test('a read whose signal is aborted ends soon', async () => {
    const collector = await newCollector();
    const controller = new AbortController();
    const ended = (async () => collector.collect(controller.signal))().catch(() => undefined);
    controller.abort();
    expect(await endsWithin(abortedMsMax, ended)).toBe(true);
  });

  test('it can be closed twice', async () => {
    const collector = await newCollector();
    await read(collector);
    await collector.close?.();
    await collector.close?.();
  });
}
