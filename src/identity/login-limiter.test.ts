import { beforeEach, describe, expect, test } from 'vitest';
import { limits } from '../base/index.ts';
import { LoginLimiter, networkOf, type Attempt } from './login-limiter.ts';
import { HandClock } from './testing/fixtures.ts';

let clock: HandClock;
let limiter: LoginLimiter;
beforeEach(() => {
  clock = new HandClock();
  limiter = new LoginLimiter(clock);
});

const begun = (from: ReturnType<LoginLimiter['attempt']>): Attempt => {
  if (typeof from === 'number' || from instanceof Promise) throw new Error('expected a try that may begin');
  return from;
};
const fail = (times: number, address = '192.0.2.1'): void => {
  for (let count = 0; count < times; count++) begun(limiter.attempt(address)).fail();
};

test('after the maximum of failures within a minute, attempts wait until the oldest is a minute old', () => {
  fail(1);
  clock.forward(20_500);
  fail(limits.loginFailuresPerMinuteMax - 1);
  expect(limiter.attempt('192.0.2.1')).toBe(40);
  clock.forward(39_499);
  expect(limiter.attempt('192.0.2.1')).toBe(1);
  clock.forward(1);
  fail(1);
  expect(limiter.attempt('192.0.2.1')).toBeTypeOf('number');
});

test('only failures count', () => {
  for (let count = 0; count < limits.loginFailuresPerMinuteMax * 2; count++) {
    begun(limiter.attempt('192.0.2.1')).forgive();
  }
  expect(limiter.attempt('192.0.2.1')).toBeTypeOf('object');
});

describe('concurrent attempts', () => {
  const most = limits.loginFailuresPerMinuteMax;

  test('all run as long as none fails', async () => {
    const tries = Array.from({ length: most * 3 }, () => limiter.attempt('192.0.2.1'));
    expect(tries.filter((each) => each instanceof Promise)).toHaveLength(most * 2);
    for (const each of tries) begun(await each).forgive();
  });

  test('are bounded if they fail: waiting attempts are then rejected', async () => {
    const tries = Array.from({ length: most + 5 }, async () => limiter.attempt('192.0.2.1'));
    for (const each of tries.slice(0, most)) begun(await each).fail();
    expect(await Promise.all(tries.slice(most))).toEqual([60, 60, 60, 60, 60]);
    expect(limiter.attempt('192.0.2.1')).toBe(60);
  });

  test('may fail as often as sequential attempts, and not more', async () => {
    const tries = Array.from({ length: most * 2 }, () => limiter.attempt('192.0.2.1'));
    let failed = 0;
    for (const [index, each] of tries.entries()) {
      const attempt = await each;
      if (typeof attempt === 'number') continue;
      if (index % 3 === 0) {
        attempt.forgive();
      } else {
        attempt.fail();
        failed++;
      }
    }
    expect(failed).toBe(most);
  });

  test('have a bounded number of waiting attempts', () => {
    const tries = Array.from({ length: most + limits.loginsWaitingMax }, () => limiter.attempt('192.0.2.1'));
    expect(tries.every((each) => typeof each === 'object')).toBe(true);
    expect(limiter.attempt('192.0.2.1')).toBe(1);
  });
});

test('addresses are independent', () => {
  fail(limits.loginFailuresPerMinuteMax);
  expect(limiter.attempt('192.0.2.1')).toBeTypeOf('number');
  expect(limiter.attempt('192.0.2.2')).toBeTypeOf('object');
});

test('memory is bounded: the address with the oldest failure is evicted', () => {
  fail(limits.loginFailuresPerMinuteMax, 'first');
  for (let count = 0; count < limits.loginFailureAddressesMax; count++) fail(1, `other-${count}`);
  expect(limiter.attempt('first')).toBeTypeOf('object');
});

describe('addresses are counted by network', () => {
  test.each([
    ['192.0.2.1', '::ffff:192.0.2.1'],
    ['192.0.2.1', '::ffff:c000:201'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::'],
    ['2001:DB8::1', '2001:0db8::2'],
    ['fe80::1%eth0', 'fe80::2'],
    ['1::4:5:6:7:8', '1:0:0:4::'],
  ])('%s and %s are the same', (one, other) => {
    expect(networkOf(one)).toBe(networkOf(other));
  });

  test('other networks are not the same', () => {
    const addresses = ['192.0.2.1', '192.0.2.2', '::c000:201', '2001:db8:1:2::', '2001:db8:1:3::', 'no address', ''];
    expect(new Set(addresses.map(networkOf)).size).toBe(addresses.length);
  });
});
