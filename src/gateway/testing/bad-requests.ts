/** A request that must get an error. `target` is the raw target of the request line (as Latin-1). */
export interface BadRequest {
  readonly title: string;
  readonly method: string;
  readonly target: string;
  readonly headers: readonly string[];
  readonly status: number;
  /** Code in the body; null without a body, as for HEAD. */
  readonly code: string | null;
}

const digest = `sha256:${'a'.repeat(64)}`;

function get(title: string, target: string, status: number, code: string, headers: readonly string[] = []): BadRequest {
  return { title, method: 'GET', target, headers, status, code };
}

const badName = (title: string, name: string): BadRequest =>
  get(`a name ${title}`, `/v2/${name}/manifests/latest`, 400, 'NAME_INVALID');

const badReference = (title: string, reference: string, code = 'MANIFEST_INVALID'): BadRequest =>
  get(`a reference ${title}`, `/v2/app/manifests/${reference}`, 400, code);

const badDigest = (title: string, text: string): BadRequest =>
  get(`a blob digest ${title}`, `/v2/app/blobs/${text}`, 400, 'DIGEST_INVALID');

const noRoute = (title: string, target: string): BadRequest => get(title, target, 404, 'UNSUPPORTED');

const notAllowed = (method: string, target: string): BadRequest => ({
  title: `${method} ${target.slice(0, 40)}`,
  method,
  target,
  headers: method === 'GET' ? [] : ['Content-Length: 0'],
  status: 405,
  code: 'UNSUPPORTED',
});

const unknownName = (title: string, target: string, headers: readonly string[] = []): BadRequest =>
  get(title, target, 404, 'NAME_UNKNOWN', headers);

/**
 * Requests that a gateway must reject without a request to any upstream. They are for a gateway whose default
 * upstream is configured, and without an upstream `unknown.example`, `localhost` or `other`.
 */
export const badRequests: readonly BadRequest[] = [
  badName('in upper case', 'App'),
  badName('with a part in upper case', 'team/App'),
  badName('that is empty', ''),
  badName('that ends with a slash', 'app/'),
  badName('with two slashes', 'team//app'),
  badName('that starts with a slash', '/app'),
  badName('with a path traversal', 'team/../app'),
  badName('with an encoded path traversal', 'team/%2e%2e/app'),
  badName('with a path traversal and encoded slashes', 'team%2f..%2f..%2fapp'),
  badName('with a single dot', './app/x'),
  badName('that starts with a separator', '-app'),
  badName('that ends with a separator', 'app-'),
  badName('with three underscores', 'a___b'),
  badName('with two dots in a later part', 'team/a..b'),
  badName('with an encoded NUL', 'ap%00p'),
  badName('with an encoded line break', 'app%0d%0aX-Evil:1'),
  badName('with an encoded space', 'a%20b'),
  badName('with a plus', 'a+b'),
  badName('with an at sign', 'a@b'),
  badName('with an encoded percent', 'a%25b'),
  badName('with a backslash', 'team\\app'),
  badName('with a tilde', '~root'),
  badName('with a star', 'app*'),
  badName('with a dollar', '$HOME'),
  badName('with non-ASCII letters, encoded', 'caf%C3%A9'),
  badName('with emoji, encoded', '%F0%9F%90%B3'),
  badName('with a double quote, encoded', '%22app%22'),
  badName('with angle brackets, encoded', '%3Cscript%3E'),
  badName('of 256 characters', 'a'.repeat(256)),
  badName('of 300 parts', Array.from({ length: 300 }, () => 'a').join('/')),
  badName('with a colon but no port', 'host:port/app'),
  badName('with two colons', 'a:1:2/app'),
  badName('with a slash encoded twice', 'team%252fapp'),
  badName('with a semicolon', 'app;v=1'),
  badName('with an ampersand', 'app&x'),
  get('a target that is too long', `/v2/${'a/'.repeat(2_500)}manifests/latest`, 400, 'NAME_INVALID'),
  badReference('that starts with a dot', '.hidden'),
  badReference('that starts with a dash', '-x'),
  badReference('that is empty', ''),
  badReference('of 129 characters', 'a'.repeat(129)),
  badReference('with a space', 'a%20b'),
  badReference('with a NUL', 'latest%00'),
  badReference('with a line break', 'latest%0a'),
  badReference('with an at sign', `latest@x`),
  badReference('with a plus', '1.0+build'),
  badReference('with non-ASCII letters', '%C3%BC'),
  badReference('with a digest that is too short', 'sha256:abc', 'DIGEST_INVALID'),
  badReference('with a digest that is too long', `${digest}a`, 'DIGEST_INVALID'),
  badReference('with a digest in upper case', `sha256:${'A'.repeat(64)}`, 'DIGEST_INVALID'),
  badReference('with a digest that is not hexadecimal', `sha256:${'g'.repeat(64)}`, 'DIGEST_INVALID'),
  badReference('with an unknown algorithm', `md5:${'a'.repeat(32)}`, 'DIGEST_INVALID'),
  badReference('with only a colon', ':', 'DIGEST_INVALID'),
  badReference('with only an algorithm', 'sha256:', 'DIGEST_INVALID'),
  badReference('with a tag and a digest', `latest@${digest}`, 'DIGEST_INVALID'),
  badDigest('without an algorithm', 'baddigeststring'),
  badDigest('that is empty', ''),
  badDigest('that is too short', 'sha256:baddigeststring'),
  badDigest('with the length of another algorithm', `sha512:${'a'.repeat(64)}`),
  badDigest('with a NUL', `${digest}%00`),
  badDigest('with a path traversal', '..'),
  get('a path that is not UTF-8', '/v2/app%ff/manifests/latest', 400, 'UNSUPPORTED'),
  get('a path with a truncated escape', '/v2/app%2/manifests/latest', 400, 'UNSUPPORTED'),
  get('a path with an invalid escape', '/v2/app%zz/manifests/latest', 400, 'UNSUPPORTED'),
  noRoute('a path outside of /v2', '/v1/app/manifests/latest'),
  noRoute('the root', '/'),
  noRoute('a path that starts with two slashes', '//v2/app/manifests/latest'),
  noRoute('the catalog', '/v2/_catalog'),
  noRoute('only a name', '/v2/app'),
  noRoute('an unknown route', '/v2/app/tags/all'),
  noRoute('the path of an upload', '/v2/app/blobs/uploads/x'),
  noRoute('a path below a tag list', '/v2/app/tags/list/x'),
  noRoute('the star target', '*'),
  noRoute('a target with a host', 'http://127.0.0.1/v2/app/manifests/latest'),
  noRoute('referrers, which are not supported', `/v2/app/referrers/${digest}`),
  notAllowed('POST', '/v2/app/blobs/uploads/'),
  notAllowed('PUT', '/v2/app/manifests/latest'),
  notAllowed('PATCH', '/v2/app/blobs/uploads/x'),
  notAllowed('DELETE', `/v2/app/manifests/${digest}`),
  notAllowed('DELETE', `/v2/app/blobs/${digest}`),
  notAllowed('OPTIONS', '/v2/app/manifests/latest'),
  notAllowed('TRACE', '/v2/'),
  notAllowed('POST', '/v2/'),
  notAllowed('PROPFIND', '/v2/app/tags/list'),
  unknownName('an upstream that is not configured', '/v2/unknown.example/app/manifests/latest'),
  unknownName('an upstream with a port that is not configured', '/v2/unknown.example:5000/app/manifests/latest'),
  unknownName('localhost', '/v2/localhost/app/manifests/latest'),
  unknownName('an address', '/v2/127.0.0.1:80/app/manifests/latest'),
  unknownName('the address of a cloud’s metadata', '/v2/169.254.169.254/latest/manifests/latest'),
  unknownName('a namespace that is not configured', '/v2/app/manifests/latest?ns=unknown.example'),
  unknownName('a namespace that is empty', '/v2/app/manifests/latest?ns='),
  unknownName('a namespace that is a path', '/v2/app/manifests/latest?ns=..%2f..'),
  ...['a%0d%0aSet-Cookie:%20x', 'a%00b', 'a%7fb', 'unknown.example', '', 'lab&ns=unknown.example', '%E2%84%AA'].map(
    (ns) =>
      unknownName(`the namespace ${ns} with a header that names an upstream`, `/v2/app/manifests/latest?ns=${ns}`, [
        'X-Registry: lab',
      ]),
  ),
  unknownName('a header that names no upstream', '/v2/app/manifests/latest', ['X-Registry: unknown.example']),
  unknownName('a header that names two upstreams', '/v2/app/manifests/latest', ['X-Registry: a.example, b.example']),
  unknownName('two equal hints that name no upstream', '/v2/app/manifests/latest?ns=other', ['X-Registry: other']),
  {
    title: 'a HEAD with an invalid name',
    method: 'HEAD',
    target: '/v2/App/manifests/latest',
    headers: [],
    status: 400,
    code: null,
  },
  {
    title: 'a HEAD with an invalid blob digest',
    method: 'HEAD',
    target: '/v2/app/blobs/none',
    headers: [],
    status: 400,
    code: null,
  },
];
