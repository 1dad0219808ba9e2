import { describe, expect, it } from 'vitest';
import { redirectOf, RedisErrorReply } from './failure.ts';
import { toReply } from './reply.ts';
import { readSlots } from './topology.ts';

describe('the answer of CLUSTER SLOTS', () => {
  it('has the primaries; one without an address has that of the queried node', () => {
    const reply = [
      [0, 5460, ['10.0.0.1', 7000, 'id', []], ['10.0.0.9', 7009, 'replica', []]],
      [5461, 10_000, ['', 7001, 'id', []]],
      [10_001, 12_000, [null, 7002, 'id', []]],
      [12_001, 16_383, ['?', 7003, 'id', []]],
    ];
    expect(readSlots(reply, 'here', { 'here:7003': { host: 'outside', port: 1 } })).toEqual([
      { first: 0, last: 5460, primary: { host: '10.0.0.1', port: 7000 } },
      { first: 5461, last: 10_000, primary: { host: 'here', port: 7001 } },
      { first: 10_001, last: 12_000, primary: { host: 'here', port: 7002 } },
      { first: 12_001, last: 16_383, primary: { host: 'outside', port: 1 } },
    ]);
  });

  it.each([[[]], [null], [['x']], [[[0, 99_999, ['h', 1]]]], [[[0, 1, ['h', 'port']]]], [[[0, 1]]]])(
    'is none: %j',
    (reply) => {
      expect(readSlots(reply, 'here')).toBeUndefined();
    },
  );
});

describe('an error reply of a Cluster', () => {
  it.each([
    ['MOVED 3999 127.0.0.1:6381', { kind: 'moved', host: '127.0.0.1', port: 6381 }],
    ['ASK 3999 ::1:6381', { kind: 'ask', host: '::1', port: 6381 }],
    ['MOVED 3999 :6381', { kind: 'moved', host: '', port: 6381 }],
    ['ERR MOVED 1 a:1', undefined],
  ])('%s is read', (message, expected) => {
    expect(redirectOf(new RedisErrorReply(message))).toEqual(expected);
  });
});

describe('a reply', () => {
  it.each([['1'], [1], [null], [['a', [1, null]]], [[]]])('%j stays as it is', (value) => {
    expect(toReply(value)).toEqual(value);
  });

  it.each([
    [2 ** 53, 'beyond 2^53'],
    [[2 ** 60], 'beyond 2^53'],
    [true, 'answered a boolean'],
    [[new Error('WRONGTYPE no')], 'WRONGTYPE no'],
  ])('%j is an error', (value, message) => {
    expect(() => toReply(value)).toThrow(message);
  });
});
