import fc from 'fast-check';
import { expect, test } from 'vitest';
import { NetworkBytes } from './network.ts';

/** A reading of `net/dev` in which each interface has received and transmitted the same. */
function reading(interfaces: Readonly<Record<string, number>>): string {
  const lines = Object.entries(interfaces).map(([name, bytes]) => `${name}: ${bytes} 0 0 0 0 0 0 0 ${bytes} 0\n`);
  return `headings\nheadings\n${lines.join('')}`;
}

const received = (network: NetworkBytes, interfaces: Readonly<Record<string, number>>) =>
  network.read(reading(interfaces)).received;

test('the first reading is what all interfaces have counted so far', () => {
  expect(new NetworkBytes().read(reading({ lo: 100, eth0: 20 }))).toEqual({ received: 120, transmitted: 120 });
});

test('an interface that goes away takes nothing along, and one that begins anew adds what it has', () => {
  const network = new NetworkBytes();
  expect(received(network, { lo: 100, veth1: 1_000 })).toBe(1_100);
  expect(received(network, { lo: 110 })).toBe(1_110);
  expect(received(network, { lo: 110, veth1: 5 })).toBe(1_115);
  expect(received(network, { lo: 10, veth1: 5 })).toBe(1_125);
});

test('the totals never fall, whatever the interfaces do', () => {
  const interfaces = fc.dictionary(fc.constantFrom('lo', 'eth0', 'veth1'), fc.nat());
  fc.assert(
    fc.property(fc.array(interfaces, { minLength: 2 }), (readings) => {
      const network = new NetworkBytes();
      const totals = readings.map((each) => received(network, each));
      expect(totals).toEqual(totals.toSorted((a, b) => a - b));
    }),
  );
});
