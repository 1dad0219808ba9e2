import { describe, expect, test } from 'vitest';
import type { Principal } from '../identity/index.ts';
import type { Repository } from './names.ts';
import { assertInScope } from './scope.ts';

const repository = (upstream: string, name: string) => ({ upstream: { name: upstream }, name }) as Repository;
const holder = (...scope: readonly string[]): Principal => ({ subject: 'ci', scope, rights: new Set(['pull']) });

describe('within a scope', () => {
  test.each([
    [holder('lab/team/app'), 'lab', 'team/app'],
    [holder('lab/team/*'), 'lab', 'team/app'],
    [holder('lab/team/*'), 'lab', 'team/deep/app'],
    [holder('lab/*'), 'lab', 'app'],
    [holder('other/app', 'lab/app'), 'lab', 'app'],
    [{ subject: 'ci', rights: new Set(['pull'] as const) }, 'lab', 'app'],
    [null, 'lab', 'app'],
  ])('%j: %s/%s', (principal, upstream, name) => {
    expect(() => assertInScope(principal, repository(upstream, name))).not.toThrow();
  });
});

describe('outside of a scope', () => {
  test.each([
    [holder('lab/team/app'), 'lab', 'team/app2'],
    [holder('lab/team/app'), 'lab', 'team/app/deep'],
    [holder('lab/team/*'), 'lab', 'team'],
    [holder('lab/team/*'), 'lab', 'team2/app'],
    [holder('lab/*'), 'lab2', 'app'],
    [holder(), 'lab', 'app'],
  ])('%j: %s/%s', (principal, upstream, name) => {
    expect(() => assertInScope(principal, repository(upstream, name))).toThrow(
      'these credentials are for other repositories',
    );
  });
});
