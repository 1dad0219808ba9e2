import fc from 'fast-check';
import { expect, test } from 'vitest';
import { accountKey, accountNames, parseAccountKey } from './cell.ts';

test('an account is parsed from its key, whatever its names contain', () => {
  const name = fc.option(fc.string({ unit: 'binary' }), { nil: undefined });
  fc.assert(
    fc.property(name, name, (org, arch) => {
      const account = accountNames({ org, arch });
      expect(parseAccountKey(accountKey(account))).toEqual(account);
    }),
  );
});

test.each(['', 'x', '{}', '7', 'null', '[]', '["a"]', '["a", null]', '["a",7]', '["a",null,null]', '["a","b"'])(
  'the text %s is no key of an account',
  (text) => expect(parseAccountKey(text)).toBeUndefined(),
);
