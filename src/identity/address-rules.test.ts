import { describe, expect, test } from 'vitest';
import { createAddressRules } from './address-rules.ts';

describe('organisations by address', () => {
  const find = createAddressRules([
    { cidr: '10.0.0.0/8', org: 'wide.example' },
    { cidr: '10.1.0.0/16', org: 'narrow.example' },
    { cidr: '10.1.2.3', org: 'one.example' },
    { cidr: '10.1.0.0/16', org: 'later.example' },
    { cidr: '2001:db8::/32', org: 'six.example' },
    { cidr: '2001:db8:1::/48', org: 'lab.example' },
  ]);

  test.each([
    ['10.200.0.1', 'wide.example'],
    ['10.1.0.1', 'narrow.example'],
    ['10.1.2.3', 'one.example'],
    ['::ffff:10.1.2.3', 'one.example'],
    ['2001:db8::9', 'six.example'],
    ['2001:db8:1::9', 'lab.example'],
    ['11.0.0.1', undefined],
    ['::1', undefined],
    ['', undefined],
    ['nonsense', undefined],
  ])('%s: the longest prefix wins: %s', (address, org) => {
    expect(find(address)?.org).toBe(org);
  });

  test('it gives the right to pull, and no more', () => {
    expect(find('10.1.2.3')).toEqual({
      subject: 'address:10.1.2.3',
      isNetwork: true,
      org: 'one.example',
      rights: new Set(['pull']),
    });
  });

  test.each([[{ cidr: '10.0.0.0/40', org: 'a' }], [{ cidr: '10.0.0.0/8', org: 'A b' }]])('%j is refused', (rule) => {
    expect(() => createAddressRules([rule])).toThrow('expected a network and an organisation');
  });
});
