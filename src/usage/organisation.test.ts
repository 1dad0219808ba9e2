import { expect, test } from 'vitest';
import { canonicalOrganisation, organisationOfEmail } from './index.ts';

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
