import { expect, test } from 'vitest';
import { ConfigError } from './problems.ts';
import { createConfigReader } from './reader.ts';
import type { Config } from './schema.ts';

function read(text: string): Config {
  return createConfigReader({}).read({
    file: { name: 'c.yaml', text, directory: '/' },
    environment: {},
    flags: {},
    workingDirectory: '/',
    readSecret: () => '',
  });
}

test('by default there are no settings for notifications', () => {
  const nothing = { ignoreUpstreams: [], orgs: {} };
  expect(read('{}').ingest).toEqual({ distribution: nothing, harbor: nothing, zot: { orgs: {} } });
});

test('hosts and organisations become lower case', () => {
  const { ingest } = read(
    'ingest: { distribution: { upstream: R.Example.org, ignoreUpstreams: ["M.example.org:5000"], orgs: { team/app: A.org, "*": b.org } }, zot: { upstream: z } }',
  );
  expect(ingest.distribution).toEqual({
    upstream: 'r.example.org',
    ignoreUpstreams: ['m.example.org:5000'],
    orgs: { 'team/app': 'a.org', '*': 'b.org' },
  });
  expect(ingest.zot).toEqual({ upstream: 'z', orgs: {} });
});

test.each([
  ['distribution: { upstream: "a/b" }', /ingest\.distribution\.upstream: expected a host/],
  ['harbor: { ignoreUpstreams: ["http://x/"] }', /ingest\.harbor\.ignoreUpstreams\[0\]: expected a host/],
  ['harbor: { orgs: { team: a_b } }', /ingest\.harbor\.orgs\.team: expected an organisation/],
  ['harbor: { orgs: { "team/": a.org } }', /ingest\.harbor\.orgs.*expected "\*", or the first segments/],
  ['zot: { ignoreUpstreams: [] }', /ingest\.zot\.ignoreUpstreams: unknown key/],
  ['quay: {}', /ingest\.quay: unknown key/],
])('%s is a problem', (text, message) => {
  const problem = (): Config => read(`ingest: { ${text} }`);
  expect(problem).toThrow(ConfigError);
  expect(problem).toThrow(message);
});
