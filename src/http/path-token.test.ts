import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cutPathToken, pathForLog } from './path-token.ts';

describe('a path with a token', () => {
  test.each([
    ['/v2/wt/abc/library/alpine/manifests/latest', '/v2/library/alpine/manifests/latest', 'abc'],
    ['/v2/wt/abc/alpine/tags/list?n=2&ns=lab', '/v2/alpine/tags/list?n=2&ns=lab', 'abc'],
    ['/v2/wt/abc/', '/v2/', 'abc'],
    ['/v2/w%74/abc/a/manifests/v%31', '/v2/a/manifests/v1', 'abc'],
    ['/v2/wt%2Fabc%2Fa/manifests/1', '/v2/a/manifests/1', 'abc'],
    ['/v2/wt/abc/a%25/manifests/%3F', '/v2/a%25/manifests/%3F', 'abc'],
  ])('%s', (target, rest, pathToken) => {
    expect(cutPathToken(target)).toEqual({ target: rest, pathToken });
  });
});

describe('a path that only resembles this form loses its token', () => {
  test.each([
    '/v2/wt',
    '/v2/wt/abc',
    '/v2/wt//a/manifests/1',
    '/v2//wt/abc/a/manifests/1',
    '//v2/wt/abc/a/manifests/1',
    '/V2/WT/abc/a/manifests/1',
    '/v2/wt/abc/wt/def/a/manifests/1',
    '/v2/wt/abc/w%74/def/a/manifests/1',
    '/v2/w%74/abc/%77t/def/manifests/1',
    '/v2/tng_path_abc/team/app/manifests/1',
    '/v2/team/app/manifests/tng_api_abc',
    '/v2/wt/x/TNG_path_abc/app/manifests/1',
  ])('%s', (target) => {
    const cut = cutPathToken(target);
    expect(cut.pathToken).toBeDefined();
    expect(cut.target).not.toMatch(/abc|def/);
  });
});

describe('other paths stay unchanged', () => {
  test.each(['/v2/', '/v2', '/v2/wta/b/manifests/1', '/v2/a/wt/b/manifests/1', '/api/v1/meters', '/v2/%ZZ/x', '*', ''])(
    '%s',
    (target) => {
      expect(cutPathToken(target)).toEqual({ target });
    },
  );
});

test.each([
  ['/api/v1/usage/pulls?org=tng_api_abc', '/api/v1/usage/pulls'],
  ['/api/v1/usage/tng_path_abc', '/api/v1/usage/tng_path_…'],
  ['/api/v1/usage/%74ng_path_abc', '/api/v1/usage/tng_path_…'],
  ['/api/v1/usage/tng%5Fapi%5Fabc/%ff', '/api/v1/usage/tng_api_…/\u00ff'],
  ['/api/v1/usage/%C3%A9', '/api/v1/usage/%C3%A9'],
  ['*', '*'],
])('the path of %s in the log has no token', (target, path) => {
  expect(pathForLog(target)).toBe(path);
});

test('no surrounding text keeps the token in the path', () => {
  const token = 'secrettoken';
  const slashes = fc.constantFrom('/', '//', '%2F', '%2f');
  const part = fc.string().map(encodeURIComponent);
  fc.assert(
    fc.property(slashes, slashes, fc.array(part), (one, other, rest) => {
      const { target, pathToken } = cutPathToken(`/v2${one}wt${other}${token}/${rest.join('/')}`);
      expect(target).not.toContain(token);
      expect([token, '']).toContain(pathToken);
    }),
  );
});
