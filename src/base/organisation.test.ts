import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalOrganisation, isOrganisation, organisationOfEmail } from './organisation.ts';

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
    expect(organisationOfEmail(email)).toBe(organisation);
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
    'bob\u202e@x.org',
    ' u@x',
    'u@x\n',
    `u@${'b'.repeat(64)}`,
    `u@${'b.'.repeat(127)}`,
    `${'u'.repeat(65)}@x`,
  ])('%j has none', (email) => {
    expect(organisationOfEmail(email)).toBeUndefined();
  });

  test('whatever comes, an organisation can be part of a field or label as it is', () => {
    const property = fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }), (local, domain) => {
      const organisation = organisationOfEmail(`${local}@${domain}`);
      return organisation === undefined || (/^[a-z0-9.-]{1,253}$/.test(organisation) && isOrganisation(organisation));
    });
    fc.assert(property);
  });
});

/** Rows of the table of Wave's service: all that stands behind the first `@`, as it stands there. */
describe('beside Wave', () => {
  test.each([
    ['user@example.com', 'example.com'],
    ['john.doe@test.org', 'test.org'],
    ['foo@bar.co.uk', 'bar.co.uk'],
    ['invalid_email', undefined],
    ['user@', undefined],
  ])('%s is %s there too', (email, organisation) => {
    expect(organisationOfEmail(email)).toBe(organisation);
  });

  test.each([
    ['in lower case, where Wave keeps two apart', 'User@Seqera.IO', 'Seqera.IO', 'seqera.io'],
    ['none with a second @, where Wave takes what follows the first', 'a@b@c.com', 'b@c.com', undefined],
    ['none without a name before it', '@x', 'x', undefined],
    ['none with a slash, which would be another field of the hash', 'u@x/y', 'x/y', undefined],
    ['none with a part that the hash uses itself', 'u@x/d/y', 'x/d/y', undefined],
    ['none with a part that the hash uses itself', 'u@x/a/y', 'x/a/y', undefined],
  ])('%s: %s is %s there and %s here', (_, email, waves, ours) => {
    expect(organisationOfEmail(email)).toBe(ours);
    expect(ours).not.toBe(waves);
  });
});

test.each([
  ['example.org', 'example.org'],
  ['EXAMPLE.Org', 'example.org'],
  ['localhost', 'localhost'],
  ['a-b.c', 'a-b.c'],
  ['', undefined],
  ['.org', undefined],
  ['a..b', undefined],
  ['-a.org', undefined],
  ['a_b.org', undefined],
  ['__other__', undefined],
  ['10.0.0.1', undefined],
  ['bücher.example', undefined],
  ['\u212a.org', undefined],
  [`${'a'.repeat(64)}.org`, undefined],
  [`${'a.'.repeat(126)}a`, `${'a.'.repeat(126)}a`],
  [`${'a.'.repeat(126)}ab`, undefined],
])('organisation %j is kept as %j', (given, kept) => expect(canonicalOrganisation(given)).toBe(kept));

test.each([
  ['alice@Example.ORG', 'example.org'],
  ['a@b@c', undefined],
  ['@example.org', undefined],
  ['alice@', undefined],
  ['alice', undefined],
  ['al ice@example.org', undefined],
  [`${'a'.repeat(65)}@example.org`, undefined],
])('the organisation of %j is %j', (email, organisation) => expect(organisationOfEmail(email)).toBe(organisation));
