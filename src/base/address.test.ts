import { BlockList, isIP, isIPv4 } from 'node:net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isWithin, parseAddress, parseNetwork, plainAddress } from './address.ts';

describe('addresses', () => {
  test.each([
    ['192.0.2.1', 32, 0xc0000201n],
    ['0.0.0.0', 32, 0n],
    ['::', 128, 0n],
    ['::1', 128, 1n],
    ['2001:db8::1', 128, 0x20010db8000000000000000000000001n],
    ['2001:DB8:0:0:1::', 128, 0x20010db8000000000001000000000000n],
    ['fe80::1%eth0', 128, 0xfe800000000000000000000000000001n],
    ['64:ff9b::192.0.2.1', 128, 0x64ff9b0000000000000000c0000201n],
    ['::ffff:192.0.2.1', 32, 0xc0000201n],
    ['::FFFF:c000:201', 32, 0xc0000201n],
    ['::192.0.2.1', 128, 0xc0000201n],
  ])('%s', (text, bits, value) => {
    expect(parseAddress(text)).toEqual({ bits, value });
  });

  test.each([
    [''],
    ['1.2.3'],
    ['1.2.3.4.5'],
    ['256.1.1.1'],
    ['01.2.3.4'],
    ['1.2.3.4:80'],
    ['::1::'],
    ['localhost'],
    ['[::1]'],
  ])('%j is invalid', (text) => {
    expect(parseAddress(text)).toBeUndefined();
  });

  test('an address is valid if Node.js accepts it', () => {
    const text = fc.oneof(
      fc.ipV4(),
      fc.ipV6(),
      fc.stringMatching(/^[0-9a-fA-F:.]{1,12}$/),
      fc.stringMatching(/^::[0-9a-f.]{1,16}$/),
    );
    fc.assert(
      fc.property(text, (each) => {
        expect([each, parseAddress(each) !== undefined]).toEqual([each, isIP(each) !== 0]);
      }),
      { numRuns: 2_000 },
    );
  });

  test('all notations of an IPv6 address are equal', () => {
    const groups = fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 8, maxLength: 8 });
    fc.assert(
      fc.property(groups, (parts) => {
        const long = parts.map((part) => part.toString(16).padStart(4, '0')).join(':');
        // The shortest form, from the URL parser.
        const short = new URL(`http://[${long}]`).hostname.slice(1, -1);
        expect(parseAddress(short)).toEqual(parseAddress(long));
      }),
    );
  });
});

describe('networks', () => {
  test.each([
    ['10.1.0.0/16', '10.1.255.255', true],
    ['10.1.0.0/16', '10.2.0.0', false],
    ['10.1.2.3/16', '10.1.0.0', true],
    ['10.1.2.3', '10.1.2.3', true],
    ['10.1.2.3', '10.1.2.4', false],
    ['0.0.0.0/0', '203.0.113.7', true],
    ['0.0.0.0/0', '2001:db8::1', false],
    ['::/0', '2001:db8::1', true],
    ['::/0', '10.0.0.1', false],
    ['10.0.0.0/8', '::ffff:10.9.9.9', true],
    ['::ffff:10.0.0.0/104', '10.9.9.9', true],
    ['::ffff:10.0.0.0/104', '::ffff:11.0.0.0', false],
    ['2001:db8::/32', '2001:db8:ffff::1', true],
    ['2001:db8::/32', '2001:db9::', false],
    ['2001:db8::/127', '2001:db8::1', true],
    ['2001:db8::/127', '2001:db8::2', false],
  ])('%s and %s: %s', (cidr, text, expected) => {
    const network = parseNetwork(cidr);
    const address = parseAddress(text);
    expect(network && address && isWithin(address, network)).toBe(expected);
  });

  test.each([
    ['10.0.0.0/33'],
    ['::/129'],
    ['10.0.0.0/'],
    ['10.0.0.0/-1'],
    ['10.0.0.0/8/8'],
    ['x/8'],
    ['::ffff:0:0/95'],
    [''],
  ])('%j is invalid', (text) => {
    expect(parseNetwork(text)).toBeUndefined();
  });

  test('networks agree with those of Node.js', () => {
    const ipv4 = fc.ipV4();
    const near = fc.tuple(ipv4, fc.integer({ min: 0, max: 32 }), fc.integer({ min: 0, max: 31 }));
    fc.assert(
      fc.property(near, ([base, prefix, bit]) => {
        const value = parseAddress(base)?.value ?? 0n;
        const other = value ^ (1n << BigInt(bit));
        const text = [24n, 16n, 8n, 0n].map((shift) => (other >> shift) & 255n).join('.');
        const list = new BlockList();
        list.addSubnet(base, prefix);
        const network = parseNetwork(`${base}/${prefix}`);
        const address = parseAddress(text);
        expect(isIPv4(text)).toBe(true);
        expect(network && address && isWithin(address, network)).toBe(list.check(text));
      }),
    );
  });
});

test.each([
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['::FFFF:192.0.2.1', '192.0.2.1'],
  ['::ffff:c000:201', '::ffff:c000:201'],
  ['2001:db8::1', '2001:db8::1'],
  ['::1', '::1'],
  ['', ''],
])('the plain form of %j is %j', (text, shown) => {
  expect(plainAddress(text)).toBe(shown);
});
