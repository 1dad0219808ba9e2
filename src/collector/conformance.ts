import { afterEach, expect, test } from 'vitest';
import { endsWithin } from '../base/index.ts';
import { encode, openMetrics, parse, prometheusText } from '../exposition/index.ts';
import { lint } from '../metric/index.ts';
import type { Collector } from './contract.ts';
import { MergedFamilies } from './merged-families.ts';
import { takeSnapshot } from './snapshot.ts';

/** The parameters of the suite. */
interface CollectorFixture {
  /** Creates a collector with a readable source. */
  readonly open: () => Promise<Collector> | Collector;
  /** Lint findings that a driver must ignore, because its names are fixed: `name: message`. */
  readonly ignoredFindings?: readonly string[];
}

/** The longest time that an aborted read may take, on a busy machine. */
const abortedMsMax = 20_000;

/** Tests the contract of `Collector`. Each driver's test file calls this once. */
export function collectorConformance({ open, ignoredFindings = [] }: CollectorFixture): void {
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

  test('its families are valid and do not clash', async () => {
    const { families } = await read(await newCollector());
    expect(families.length).toBeGreaterThan(0);
    expect(() => new MergedFamilies().add(families)).not.toThrow();
  });

  test.each([
    ['OpenMetrics', openMetrics, 'openmetrics'],
    ['Prometheus text', prometheusText, 'text'],
  ] as const)('a strict parser of %s accepts its families', async (_, format, syntax) => {
    const { families } = await read(await newCollector());
    const parsed = parse(Buffer.concat([...encode(families, format)]), { format: syntax });
    expect(parsed.length).toBeGreaterThanOrEqual(families.length);
  });

  test('its families follow the naming rules', async () => {
    const findings = lint((await read(await newCollector())).families);
    expect(findings.map(({ family, message }) => `${family.name}: ${message}`)).toEqual(ignoredFindings);
  });

  test('a second read returns the same families', async () => {
    const collector = await newCollector();
    const names = async () => (await read(collector)).families.map(({ type, name }) => `${type} ${name}`);
    expect(await names()).toEqual(await names());
  });

  test('an aborted read ends soon', async () => {
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
