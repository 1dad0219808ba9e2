import { createServer } from 'node:http';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ApiError, parseUsage, readAllUsage, readUsage, usageAddress } from './api.ts';

const answer = (rows: string, more = '') =>
  `{"meter":"pulls","from":"2026-11-01","to":"2026-12-01","window":"day","rows":[${rows}],"total":9007199254740993${more}}`;

describe('an answer', () => {
  it('keeps integers beyond 2^53, days, and dimensions that are missing', () => {
    expect(parseUsage(answer('{"from":"2026-11-02","arch":null,"org":"a.org","value":9007199254740993}'))).toEqual({
      from: '2026-11-01',
      to: '2026-12-01',
      total: 9007199254740993n,
      rows: [{ from: '2026-11-02', dimensions: { arch: null, org: 'a.org' }, value: 9007199254740993n }],
    });
  });

  it.each([
    '',
    'no JSON',
    '[]',
    '{}',
    answer('{"value":"1"}'),
    answer('1'),
    '{"from":"x","to":"y","rows":{},"total":1}',
  ])('is rejected if it is %j', (text) => {
    expect(() => parseUsage(text)).toThrow(ApiError);
  });
});

describe('querying the server', () => {
  afterEach(() => vi.unstubAllGlobals());

  /** Sends the responses in turn. The page's addresses are relative to this server's root. */
  async function withServer(answers: readonly { status?: number; body: string }[], use: () => Promise<void>) {
    const asked: string[] = [];
    const server = createServer((request, response) => {
      const { status = 200, body } = answers[asked.length] ?? { status: 500, body: 'one too many' };
      asked.push(request.url ?? '');
      response.writeHead(status).end(body);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    vi.stubGlobal('location', { origin: `http://127.0.0.1:${port}`, pathname: '/' });
    await use();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    return asked;
  }

  it('reads all pages', async () => {
    const bodies = [answer('{"value":2}', ',"next":"c 1"'), answer('{"value":1}')].map((body) => ({ body }));
    const asked = await withServer(bodies, async () => {
      const { rows } = await readAllUsage({ by: 'day,arch' });
      expect(rows.map(({ value }) => value)).toEqual([2n, 1n]);
    });
    expect(asked).toEqual([
      '/api/v1/usage/pulls?by=day%2Carch&incomplete=allow',
      '/api/v1/usage/pulls?by=day%2Carch&cursor=c+1&incomplete=allow',
    ]);
  });

  it.each([
    [401, '', /you need the right/],
    [503, '{"detail":"the query took longer than 10 s"}', /the query took longer than 10 s \(503\)/],
    [502, '<html>bad gateway</html>', /status 502/],
    [200, '<html>another server</html>', /not usage data/],
  ])('explains status %d with the body %j', async (status, body, message) => {
    await withServer([{ status, body }], async () => {
      await expect(readUsage({})).rejects.toThrow(message);
    });
  });

  it('explains that the server does not respond', async () => {
    vi.stubGlobal('location', { origin: 'http://127.0.0.1:1', pathname: '/' });
    vi.stubGlobal('fetch', () => Promise.reject(new TypeError('fetch failed')));
    await expect(readUsage({})).rejects.toThrow('the server does not respond');
  });

  it('uses addresses relative to the page', () => {
    expect(usageAddress({})).toBe('api/v1/usage/pulls?incomplete=allow');
  });
});
