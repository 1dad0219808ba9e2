import { isIPv6 } from 'node:net';

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { classOf, isInNetwork, isSameAddress, mayLead, wider, type AddressClass, type Reachable } from './address.ts';

describe('an address', () => {
  it.each<[AddressClass, readonly string[]]>([
    ['loopback', ['127.0.0.1', '127.255.255.254', '::1', '0:0:0:0:0:0:0:1', '::ffff:127.0.0.1', '::ffff:7f00:1']],
    ['loopback', ['64:ff9b::127.0.0.1', '2002:7f00:1::', '::ffff:0:127.0.0.1', '[::1]']],
    ['private', ['10.0.0.0', '10.255.255.255', '172.16.0.1', '172.31.255.255', '192.168.0.1', '100.64.0.1']],
    [
      'private',
      ['198.18.0.1', 'fc00::1', 'fdff::1', 'fec0::1', '::ffff:10.1.2.3', '64:ff9b::a01:203', '2002:a01:203::1'],
    ],
    [
      'public',
      ['1.1.1.1', '172.15.255.255', '172.32.0.0', '192.167.255.255', '100.63.255.255', '100.128.0.0', '11.0.0.1'],
    ],
    [
      'public',
      ['2606:4700::1111', '64:ff9b::1.1.1.1', '2002:101:101::', '::ffff:1.1.1.1', '169.253.1.1', '169.255.1.1'],
    ],
    ['forbidden', ['0.0.0.0', '0.1.2.3', '::', '169.254.169.254', '169.254.0.1', '::ffff:169.254.169.254', 'fe80::1']],
    ['forbidden', ['fe80::1%eth0', 'febf::1', 'ff02::1', '224.0.0.1', '239.1.1.1', '240.0.0.1', '255.255.255.255']],
    ['forbidden', ['fd00:ec2::254', 'fd20:ce::254', '100.100.100.200', '168.63.129.16', '192.0.0.192']],
    [
      'forbidden',
      ['::127.0.0.1', '::7f00:1', '2001::1', '4000::1', '64:ff9b::a9fe:a9fe', '2002:a9fe:a9fe::1', '::ffff:0.0.0.0'],
    ],
    ['forbidden', ['', 'localhost', '1.2.3', '1.2.3.4.5', '::1::', 'fe80', '[127.0.0.1']],
  ])('is %s: %j', (expected, addresses) => {
    for (const address of addresses) expect([address, classOf(address)]).toEqual([address, expected]);
  });

  it.each(['0x7f.1', '2130706433', '017700000001', '127.1', '0x7f000001', '127.0.0.1.', '①②⑦.0.0.1'])(
    'is recognised in a URL in the notation %s',
    (host) => {
      const url = new URL(`http://${host}/`);
      expect(classOf(url.hostname)).toBe('loopback');
    },
  );

  it('has the same class in any notation', () => {
    const groups = fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 8, maxLength: 8 });
    fc.assert(
      fc.property(groups, (parts) => {
        const long = parts.map((part) => part.toString(16).padStart(4, '0')).join(':');
        const short = new URL(`http://[${long}]/`).hostname;
        expect(isIPv6(long)).toBe(true);
        expect(classOf(short)).toBe(classOf(long));
        expect(isSameAddress(short, long)).toBe(true);
      }),
    );
  });

  it('equals its IPv4-mapped form, and no other address', () => {
    expect(isSameAddress('::ffff:10.1.2.3', '10.1.2.3')).toBe(true);
    expect(isSameAddress('10.1.2.3', '10.1.2.4')).toBe(false);
    expect(isSameAddress('10.1.2.3', 'host')).toBe(false);
  });
});

it('isInNetwork compares the prefix', () => {
  expect(isInNetwork('10.1.2.3', '10.0.0.0/8')).toBe(true);
  expect(isInNetwork('::ffff:10.1.2.3', '10.0.0.0/8')).toBe(true);
  expect(isInNetwork('11.1.2.3', '10.0.0.0/8')).toBe(false);
  expect(isInNetwork('fd00::1', 'fd00::/8')).toBe(true);
  expect(isInNetwork('fd00::1', '0.0.0.0/0')).toBe(false);
  for (const none of ['10.0.0.0', '10.0.0.0/', '10.0.0.0/33', 'host/8', '/8']) {
    expect([none, isInNetwork('10.0.0.0', none)]).toEqual([none, false]);
  }
});

const reachable: readonly Reachable[] = ['loopback', 'private', 'public'];

it('a host may lead to its own class and wider ones', () => {
  const leads = reachable.map((from) => [...reachable, 'forbidden' as const].filter((to) => mayLead(from, to)));
  expect(leads).toEqual([['loopback', 'private', 'public'], ['private', 'public'], ['public']]);
});

it('the wider of two classes permits fewer targets', () => {
  expect(wider(undefined, 'loopback')).toBe('loopback');
  expect(wider('loopback', 'public')).toBe('public');
  expect(wider('public', 'private')).toBe('public');
  expect(wider('private', 'forbidden')).toBe('private');
  expect(wider(undefined, 'forbidden')).toBeUndefined();
});
