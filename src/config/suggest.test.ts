import { expect, test } from 'vitest';
import { nearest } from './suggest.ts';

const keys = ['listen', 'metrics', 'data', 'timeZone', 'gateway', 'defaultUpstream'];

test.each([
  ['listn', 'listen'],
  ['lsiten', 'listen'],
  ['metricss', 'metrics'],
  ['gatway', 'gateway'],
  ['default_upstream', 'defaultUpstream'],
  ['DEFAULT-UPSTREAM', 'defaultUpstream'],
  ['timezone', 'timeZone'],
])('%s is a mistyped %s', (name, meant) => {
  expect(nearest(name, keys)).toBe(meant);
});

test.each(['', 'x', 'dt', 'upstreams', 'lasting', 'a'.repeat(65)])('%j is not a mistyped key', (name) => {
  expect(nearest(name, keys)).toBeUndefined();
});
