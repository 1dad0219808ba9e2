import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isOrganisation, organisationOf } from './organisation.ts';

describe('the organisation of an e-mail address', () => {
  test.each([
    ['user@example.com', 'example.com'],
    ['john.doe@test.org', 'test.org'],
    ['foo@bar.co.uk', 'bar.co.uk'],
    ['User@Seqera.IO', 'seqera.io'],
    ['a+b@corp', 'corp'],
    ['a@xn--bcher-kva.example', 'xn--bcher-kva.example'],
    [`a@${'b'.repeat(63)}.c`, `${'b'.repeat(63)}.c`],
  ])('%s is %s', (email, organisation) => {
    expect(organisationOf(email)).toBe(organisation);
  });

  test.each([
    '',
    'invalid_email',
    'user@',
    '@x',
    'a@b@c.com',
    'u@x/y',
    'u@x/d/y',
    'u@x=y',
    'u@x y',
    'u@.x',
    'u@x.',
    'u@x..y',
    'u@-x',
    'u@x-',
    'u@x_y',
    'u@__other__',
    'u@127.0.0.1',
    'u@[::1]',
    'u@bücher.example',
    'u@\u212a.example', // the Kelvin sign, whose lower case is an ASCII k
    ' u@x',
    'u@x\n',
    `u@${'b'.repeat(64)}`,
    `u@${'b.'.repeat(127)}`,
    `${'u'.repeat(65)}@x`,
  ])('%j has none', (email) => {
    expect(organisationOf(email)).toBeUndefined();
  });

  test('whatever comes, an organisation can be part of a field or label as it is', () => {
    const property = fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }), (local, domain) => {
      const organisation = organisationOf(`${local}@${domain}`);
      return organisation === undefined || (/^[a-z0-9.-]{1,253}$/.test(organisation) && isOrganisation(organisation));
    });
    fc.assert(property);
  });
});
