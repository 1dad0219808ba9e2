import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { collectorConformance } from './conformance.ts';
import type { CollectorFixture } from './testing/breakable.ts';
import { faultChecks, runFaultCheck } from './testing/fault-checks.ts';
import { LineCollector, LineSource, secret, type Fault } from './testing/line-source.ts';

const source = new LineSource();
beforeAll(() => source.start());
afterAll(() => source.stop());

const fixtureOf = (fault?: Fault): CollectorFixture => ({
  open: () => new LineCollector(source, fault),
  source,
  deadlineMs: 1_000,
  secrets: [secret],
});

describe('a driver that keeps the contract passes the suite', () => {
  collectorConformance(fixtureOf());
});

const titles = {
  hangs: 'a read that hangs ends at its deadline as a timeout, and the snapshot stays',
  refused: 'a refused read has its class, is logged once, and the snapshot stays',
  partial: 'a partial result never becomes a snapshot',
  slow: 'a slow read does not delay a scrape, and succeeds',
  aborted: 'an aborted read ends soon and leaves no work at the source',
  closed: 'a collector that is closed during a read ends it and leaves no work at the source',
  restart: 'after a restart of the source the next read succeeds',
  restartDuringRead: 'after a restart of the source during a read the next read succeeds',
};

/** Each fault with a check that finds it, and why the check fails. */
const faults: readonly [Fault, keyof typeof titles, string][] = [
  ['ignores an abort', 'hangs', 'the previous read missed its deadline and is still running'],
  ['ignores an abort', 'aborted', 'expected 1 to be +0'],
  ['ignores an abort', 'closed', 'expected 1 to be +0'],
  ['turns an error into zeros', 'refused', 'promise resolved "undefined" instead of rejecting'],
  ['turns an error into zeros', 'partial', 'promise resolved "undefined" instead of rejecting'],
  ['accepts a part', 'partial', 'promise resolved "undefined" instead of rejecting'],
  ['blocks the event loop', 'slow', 'to be greater than 10'],
  ['keeps a broken connection', 'restart', 'got the end of the connection'],
  ['keeps a broken connection', 'restartDuringRead', 'got the end of the connection'],
  ['states its port', 'refused', 'expected [ …(3) ] to deeply equal'],
  ['states a secret', 'refused', `not to contain '${secret}'`],
  ['states no class', 'refused', "to match object { errorClass: 'unreachable' }"],
];

describe('the suite finds a driver that', () => {
  test.each(faults)('%s: %s', async (fault, check, message) => {
    const { run } = faultChecks.find(({ title }) => title === titles[check])!;
    const fixture = { ...fixtureOf(fault), patienceMs: 500 };
    await expect(runFaultCheck({ title: titles[check], run }, fixture)).rejects.toThrow(message);
  });

  test('fails any of its checks', () => {
    expect(Object.values(titles)).toEqual(faultChecks.map(({ title }) => title));
    expect(new Set(faults.map(([, check]) => check))).toEqual(new Set(Object.keys(titles)));
  });
});
