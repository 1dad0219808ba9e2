import { beforeEach, describe, expect, test } from 'vitest';
import { limits } from '../base/index.ts';
import { LoginLimiter, networkOf } from './login-limiter.ts';
import { HandClock } from './testing/fixtures.ts';

let clock: HandClock;
let limiter: LoginLimiter;
beforeEach(() => {
  clock = new HandClock();
  limiter = new LoginLimiter(clock);
});

const fail = (times: number, address = '192.0.2.1'): void => {
  for (let count = 0; count < times; count++) limiter.attempt(address);
};

test('so many failures within a minute, then a wait until the oldest is a minute old', () => {
  fail(1);
  clock.forward(20_500);
  fail(limits.loginFailuresPerMinuteMax - 1);
  expect(limiter.attempt('192.0.2.1')).toBe(40);
  clock.forward(39_499);
  expect(limiter.attempt('192.0.2.1')).toBe(1);
  clock.forward(1);
  expect(limiter.attempt('192.0.2.1')).toBeTypeOf('object');
  expect(limiter.attempt('192.0.2.1')).toBeTypeOf('number');
});

test('what was no failure does not count', () => {
  for (let count = 0; count < limits.loginFailuresPerMinuteMax * 2; count++) {
    const attempt = limiter.attempt('192.0.2.1');
    expect(attempt).toBeTypeOf('object');
    if (typeof attempt === 'object') attempt.forgive();
  }
});

test('tries at the same time are bounded too', () => {
  const attempts = Array.from({ length: limits.loginFailuresPerMinuteMax + 5 }, () => limiter.attempt('192.0.2.1'));
  expect(attempts.filter((attempt) => typeof attempt === 'number')).toHaveLength(5);
});

test('addresses do not wait for each other', () => {
  fail(limits.loginFailuresPerMinuteMax);
  expect(limiter.attempt('192.0.2.1')).toBeTypeOf('number');
  expect(limiter.attempt('192.0.2.2')).toBeTypeOf('object');
});

test('memory is bounded: the address that failed longest ago is forgotten', () => {
  fail(limits.loginFailuresPerMinuteMax, 'first');
  for (let count = 0; count < limits.loginFailureAddressesMax; count++) fail(1, `other-${count}`);
  expect(limiter.attempt('first')).toBeTypeOf('object');
});

describe('an address stands for the network within which a client can choose one', () => {
  test.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::', '2001:db8:1:2::/64'],
    ['2001:DB8::1', '2001:db8:0:0::/64'],
    ['2001:0db8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['1::4:5:6:7:8', '1:0:0:4::/64'],
  ])('%s is %s', (address, network) => {
    expect(networkOf(address)).toBe(network);
  });
});
