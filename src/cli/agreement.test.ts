import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { systemRandom } from '../base/index.ts';
import {
  builtInMeterNames,
  keptDimensions,
  parseEmail,
  parseEventType,
  parseMember,
  parseOrganisation,
  parsePasswordHash,
  userRights,
} from '../config/index.ts';
import * as identity from '../identity/index.ts';
import { canonicalOrganisation, dimensions, meterSet, organisationOfEmail, voidEventType } from '../usage/index.ts';

/** Neither the configuration nor usage knows of other folders, but what they take must be the same everywhere. */
describe('what the configuration and events take is what is then used', () => {
  test('rights', () => {
    expect(userRights).toEqual(identity.rights);
  });

  test('dimensions', () => {
    expect(keptDimensions).toEqual(dimensions);
  });

  test('meters', () => {
    const { byName, byEventType } = meterSet();
    expect(builtInMeterNames).toEqual([...byName.keys()]);
    const taken = [...byEventType.keys(), voidEventType];
    expect(taken.filter((type) => parseEventType(type) !== undefined)).toEqual([]);
    expect([...dimensions, 'email'].filter((member) => parseMember(member) !== undefined)).toEqual([]);
  });

  const part = fc.stringMatching(/^[A-Za-z0-9.@ _\u212a\u00fc-]{0,12}$/);

  test('e-mail addresses', () => {
    const property = fc.property(part, part, (local, domain) => {
      const email = `${local}@${domain}`;
      const organisation = identity.organisationOf(email);
      if (organisationOfEmail(email) !== organisation) return false;
      return (parseEmail(email) === undefined) === (organisation === undefined);
    });
    fc.assert(property, { numRuns: 1_000 });
  });

  test('organisations', () => {
    const property = fc.property(part, (text) => {
      const organisation = parseOrganisation(text);
      if (canonicalOrganisation(text) !== organisation) return false;
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
