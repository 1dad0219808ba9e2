import { describe, expect, test } from 'vitest';
import { environmentProxies } from './gateway.ts';

describe('egress proxies of the environment', () => {
  test('are stated in upper or lower case, and lower case overrides upper case', () => {
    expect(environmentProxies({ HTTP_PROXY: 'http://a:1', https_proxy: 'http://b:2', NO_PROXY: 'x, y' })).toEqual({
      http: 'http://a:1/',
      https: 'http://b:2/',
      none: 'x, y',
    });
    expect(environmentProxies({ HTTP_PROXY: 'http://a', http_proxy: 'http://b' })).toEqual({ http: 'http://b/' });
  });

  test('need no scheme, and an empty value means no proxy', () => {
    expect(environmentProxies({ HTTP_PROXY: 'proxy:3128', HTTPS_PROXY: '' })).toEqual({ http: 'http://proxy:3128/' });
    expect(environmentProxies({ HTTP_PROXY: 'http://a', http_proxy: '' })).toEqual({ http: 'http://a/' });
    expect(environmentProxies({ PATH: '/bin' })).toEqual({});
  });

  test.each(['socks5://h:1', 'http://', 'http://me:hunter2@h:1/path', 'http://me:%E0%A4%A@h', '://'])(
    'of the form %s are an error, which does not show the value',
    (stated) => {
      const read = (): unknown => environmentProxies({ HTTPS_PROXY: stated });
      expect(read).toThrow(/^HTTPS_PROXY: expected a URL such as "http:\/\/HOST:PORT"/);
      expect(read).not.toThrow(/hunter2|h:1/);
    },
  );
});
