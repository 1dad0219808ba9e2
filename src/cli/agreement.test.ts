import { describe, expect, test } from 'vitest';
import { builtInMeterNames, keptDimensions, parseEventType, parseMember, userRights } from '../config/index.ts';
import * as identity from '../identity/index.ts';
import { dimensions, meterSet, voidEventType } from '../usage/index.ts';

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
});
