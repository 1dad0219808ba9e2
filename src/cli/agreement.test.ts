import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { systemRandom } from '../base/index.ts';
import { keptDimensions, parseEmail, parseOrganisation, parsePasswordHash, userRights } from '../config/index.ts';
import * as identity from '../identity/index.ts';
import { isDimension } from '../usage/index.ts';

/** The configuration knows nothing of other folders, but what it takes must be what they take. */
describe('what the configuration takes is what is then used', () => {
  test('rights', () => {
    expect(userRights).toEqual(identity.rights);
  });

  test('dimensions', () => {
    expect(keptDimensions.filter((name) => !isDimension(name))).toEqual([]);
  });

  const part = fc.stringMatching(/^[A-Za-z0-9.@ _\u212a\u00fc-]{0,12}$/);

  test('e-mail addresses', () => {
    const property = fc.property(part, part, (local, domain) => {
      const email = `${local}@${domain}`;
      return (parseEmail(email) === undefined) === (identity.organisationOf(email) === undefined);
    });
    fc.assert(property, { numRuns: 1_000 });
  });

  test('organisations', () => {
    const property = fc.property(part, (text) => {
      const organisation = parseOrganisation(text);
      return organisation === undefined ? !identity.isOrganisation(text) : identity.isOrganisation(organisation);
    });
    fc.assert(property, { numRuns: 1_000 });
  });

  test('password hashes', async () => {
    const number = fc.oneof(
      fc.constantFrom('1024', '16384', '131072', '262144', '8', '1', '16', '17', '0'),
      fc.stringMatching(/^[0-9]{0,8}$/),
    );
    const base64 = fc.stringMatching(/^[A-Za-z0-9+/]{20,90}={0,3}$/);
    const hash = fc.oneof(
      fc.tuple(number, number, number, base64, base64).map((parts) => `scrypt:${parts.join(':')}`),
      fc.stringMatching(/^[0-9a-fA-F]{63,65}$/).map((hex) => `sha256:${hex}`),
    );
    const property = fc.property(hash, (text) => {
      return (parsePasswordHash(text) === undefined) === (identity.parsePasswordHash(text) === undefined);
    });
    fc.assert(property, { numRuns: 2_000 });
    expect(parsePasswordHash(await identity.hashPassword('x', systemRandom))).toBeDefined();
  });
});
