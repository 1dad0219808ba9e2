import { expect, test } from 'vitest';
import { createConfigReader } from '../config/index.ts';
import { welcome } from './welcome.ts';

function config(text: string) {
  return createConfigReader({}).read({
    file: { name: 'c.yaml', text, directory: '/d' },
    environment: {},
    workingDirectory: '/d',
    readSecret: () => '',
  });
}

test('what to do next, and where to look', () => {
  const url = 'http://127.0.0.1:8080';
  expect(welcome({ config: config(''), url, metricsUrl: 'http://127.0.0.1:2112/metrics' })).toBe(
    `Tonnage serves images at http://127.0.0.1:8080 and counts each pull.

  pull      docker pull 127.0.0.1:8080/library/alpine
  dashboard http://127.0.0.1:8080/
  metrics   http://127.0.0.1:2112/metrics
  data      /d/data
  config    none; docs/reference/configuration.md has every key

`,
  );
});

test.each([
  ['no metrics', '', 'http://localhost:1', 'metrics   off; --metrics 2112 turns them on'],
  ['all addresses', '', 'http://0.0.0.0:8080', 'dashboard http://127.0.0.1:8080/'],
  ['all IPv6 addresses', '', 'http://[::]:8080', 'docker pull 127.0.0.1:8080/library/alpine'],
  [
    'an upstream of one’s own',
    'upstreams: { lab: { url: "http://lab" } }',
    'http://[::1]:8080',
    'docker pull [::1]:8080/lab/NAME:TAG',
  ],
  ['another default upstream', 'gateway: { defaultUpstream: ghcr.io }', 'http://h:1', 'docker pull h:1/NAME:TAG'],
  ['no upstreams', 'upstreams: {}', 'http://h:1', 'pull      nothing yet: no upstreams are configured'],
])('%s', (_title, text, url, line) => {
  expect(welcome({ config: config(text), url })).toContain(`  ${line.replace(/^docker/, 'pull      docker')}\n`);
});
