import { expect, test } from 'vitest';
import { canonicalScope, type ScopeUpstreams } from './token-scope.ts';

const hub = { name: 'docker.io', aliases: ['index.docker.io'], singleSegmentPrefix: 'library' };
const lab = { name: 'lab', aliases: ['mylab', 'lab.example:5000'] };

test.each<[string, string | undefined, string]>([
  ['lab/team/app', undefined, 'lab/team/app'],
  ['mylab/team/*', undefined, 'lab/team/*'],
  ['lab.example:5000/*', undefined, 'lab/*'],
  ['docker.io/alpine', undefined, 'docker.io/library/alpine'],
  ['index.docker.io/library/*', undefined, 'docker.io/library/*'],
  ['docker.io/*', undefined, 'docker.io/*'],
  ['team/*', 'lab', 'lab/team/*'],
  ['app', 'lab', 'lab/app'],
  ['alpine', 'docker.io', 'docker.io/library/alpine'],
  ['library/*', 'docker.io', 'docker.io/library/*'],
  // An upstream's name takes precedence over a repository of the default upstream.
  ['lab/app', 'docker.io', 'lab/app'],
])('%s with the default upstream %s is %s', (entry, defaultUpstream, expected) => {
  const known: ScopeUpstreams = { upstreams: [hub, lab], ...(defaultUpstream !== undefined && { defaultUpstream }) };
  expect(canonicalScope([entry, entry], known)).toEqual([expected]);
});

const configured = '; configured upstreams: docker.io, lab';
test.each<[string, string | undefined, string]>([
  ['library', undefined, `a configured upstream and a repository, got "library"${configured}`],
  ['nosuch/team/*', undefined, `a configured upstream and a repository, got "nosuch/team/*"${configured}`],
  ['ghcr.io/a/b', 'lab', `a configured upstream and a repository, got "ghcr.io/a/b"${configured}`],
  ['localhost/a', 'lab', `a configured upstream and a repository, got "localhost/a"${configured}`],
  ['mylab', 'lab', `a repository of mylab, such as mylab/*, got "mylab"${configured}`],
])('%s with the default upstream %s cannot match a pull', (entry, defaultUpstream, message) => {
  const known: ScopeUpstreams = { upstreams: [hub, lab], ...(defaultUpstream !== undefined && { defaultUpstream }) };
  expect(() => canonicalScope(['lab/a', entry], known)).toThrow(`scope: expected ${message}`);
});

test('without upstreams every entry is rejected', () => {
  expect(() => canonicalScope(['lab/a'], { upstreams: [] })).toThrow('got "lab/a"; configured upstreams: none');
});
