import { afterEach, describe, expect, test } from 'vitest';
import { endsWithin } from '../base/index.ts';
import { encode, openMetrics, parse, prometheusText } from '../exposition/index.ts';
import { lint } from '../metric/index.ts';
import type { Collector } from './contract.ts';
import { MergedFamilies } from './merged-families.ts';
import { takeSnapshot } from './snapshot.ts';
import type { CollectorFixture } from './testing/breakable.ts';
import { faultChecks, runFaultCheck } from './testing/fault-checks.ts';

/** Tests the contract of `Collector`. Each driver's test file calls this once. */
export function collectorConformance(fixture: CollectorFixture): void {
  const { open, source, patienceMs = 20_000, ignoredFindings = [] } = fixture;
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

  test('a read that is aborted at once ends soon', async () => {
    const collector = await newCollector();
    const controller = new AbortController();
    const ended = (async () => collector.collect(controller.signal))().catch(() => undefined);
    controller.abort();
    expect(await endsWithin(patienceMs, ended)).toBe(true);
  });

  test('it can be closed twice, and without a read', async () => {
    const collector = await newCollector();
    await read(collector);
    await collector.close?.();
    await collector.close?.();
    await (await newCollector()).close?.();
  });

  // oxlint-disable-next-line vitest/no-conditional-tests -- which tests apply depends on the driver
  if ('unbreakable' in source) {
    test(`its source cannot be broken: ${source.unbreakable}`, async () => {
      const collector = await newCollector();
      expect(collector.collect(new AbortController().signal)).not.toBeInstanceOf(Promise);
    });
    return;
  }
  describe('a broken source', () => {
    test.each(faultChecks)('$title', (check) => runFaultCheck(check, fixture), 120_000);
  });
}
