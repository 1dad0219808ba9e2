import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseAuthorization } from './authorization.ts';
import { basic } from './testing/fixtures.ts';

describe('Basic', () => {
  test.each([
    [basic('alice', 'secret'), 'alice', 'secret'],
    [basic('alice', 'a:b:c'), 'alice', 'a:b:c'],
    [basic('alice', ''), 'alice', ''],
    [basic('', 'secret'), '', 'secret'],
    [basic('ünal', 'pässwörd £'), 'ünal', 'pässwörd £'],
    ['Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==', 'Aladdin', 'open sesame'], // RFC 7617 section 2
    ['Basic dGVzdDoxMjPCow==', 'test', '123£'], // RFC 7617 section 2.1
    ['basic   YTpi  ', 'a', 'b'],
    ['Basic YTpi=', 'a', 'b'],
  ])('%s', (header, user, password) => {
    expect(parseAuthorization(header)).toEqual({ scheme: 'basic', user, password });
  });

  test('an empty user with an empty password means no credentials', () => {
    expect(parseAuthorization(basic('', ''))).toBe('none');
  });

  test('any user and password are parsed from a header', () => {
    const part = fc.string({ unit: 'grapheme' }).filter((text) => !/\p{Cc}/u.test(text) && text.isWellFormed());
    const property = fc.property(part, part, (user, password) => {
      fc.pre(!user.includes(':') && user + password !== '');
      expect(parseAuthorization(basic(user, password))).toEqual({ scheme: 'basic', user, password });
    });
    fc.assert(property);
  });
});

test('Bearer', () => {
  expect(parseAuthorization('Bearer mF_9.B5f-4.1JqM')).toEqual({ scheme: 'bearer', token: 'mF_9.B5f-4.1JqM' });
  expect(parseAuthorization('bearer dG9rZW4=')).toEqual({ scheme: 'bearer', token: 'dG9rZW4=' });
});

test.each([
  ['nothing', ''],
  ['a scheme alone', 'Basic'],
  ['no colon', `Basic ${Buffer.from('alice').toString('base64')}`],
  ['no base64', 'Basic al!ce'],
  ['base64 for URLs', 'Basic YTpi_-'],
  ['a control character', basic('a', 'b\nc')],
  ['Latin-1', `Basic ${Buffer.from('a:\xfc', 'latin1').toString('base64')}`],
  ['two words', 'Basic YTpi YTpi'],
  ['another scheme', 'Digest username="a"'],
  ['a token with blanks', 'Bearer a b'],
  ['a token with quotes', 'Bearer "a"'],
])('%s is malformed, not anonymous', (_title, header) => {
  expect(parseAuthorization(header)).toBe('malformed');
});
