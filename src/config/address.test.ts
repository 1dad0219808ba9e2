import { expect, test } from 'vitest';
import { formatListen, overlap, parseListen } from './address.ts';

test.each([
  ['8080', { port: 8080 }],
  [8080, { port: 8080 }],
  ['0', { port: 0 }],
  [':443', { port: 443 }],
  [':0', { port: 0 }],
  ['127.0.0.1:8080', { host: '127.0.0.1', port: 8080 }],
  ['localhost:65535', { host: 'localhost', port: 65_535 }],
  ['Pull.Example.org:443', { host: 'pull.example.org', port: 443 }],
  ['[::1]:8080', { host: '::1', port: 8080 }],
  ['[::]:2112', { host: '::', port: 2112 }],
])('%j is an address to listen on', (text, address) => {
  const parsed = parseListen(text);
  expect(parsed).toEqual(address);
  expect(parsed && parseListen(formatListen(parsed))).toEqual(address);
});

test.each([
  '',
  ':',
  '::443',
  ':65536',
  ':443 ',
  ' :443',
  ':http',
  '[]:443',
  '65536',
  '-1',
  1.5,
  '127.0.0.1',
  '127.0.0.1:',
  '127.0.0:80',
  '::1:8080',
  '[::1]',
  '[::1',
  '[127.0.0.1]:80',
  'http://localhost:80',
  'localhost:80/',
  'local host:80',
  'a_b:80',
  '*:80',
  `${'a'.repeat(64)}:80`,
])('%j is not an address to listen on', (text) => {
  expect(parseListen(text)).toBeUndefined();
});

test.each([
  ['8080', '0.0.0.0:8080', true],
  ['8080', ':8080', true],
  [':8080', '127.0.0.1:8080', true],
  [':8080', '[::1]:8080', true],
  [':8080', 'localhost:8080', true],
  [':8080', ':8081', false],
  [':0', ':0', false],
  ['127.0.0.1:8080', '127.0.0.1:8080', true],
  ['0.0.0.0:8080', '127.0.0.1:8080', true],
  ['[::]:8080', '127.0.0.1:8080', true],
  ['[::]:8080', '0.0.0.0:8080', true],
  ['[::]:8080', 'localhost:8080', true],
  ['[0:0::1]:8080', '[::1]:8080', true],
  ['[0:0::0]:8080', '[::1]:8080', true],
  ['localhost:8080', 'LocalHost:8080', true],
  ['0.0.0.0:8080', '[::1]:8080', false],
  ['127.0.0.1:8080', '127.0.0.2:8080', false],
  ['127.0.0.1:8080', '127.0.0.1:8081', false],
  ['127.0.0.1:0', '127.0.0.1:0', false],
  // Names are not resolved.
  ['localhost:8080', '127.0.0.1:8080', false],
])('listeners on %s and %s overlap: %s', (one, other, expected) => {
  const [first, second] = [parseListen(one), parseListen(other)];
  const together = first !== undefined && second !== undefined && [overlap(first, second), overlap(second, first)];
  expect(together).toEqual([expected, expected]);
});
