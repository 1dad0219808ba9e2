import { expect, test } from 'vitest';
import { meterSet, type ConfiguredMeter } from './index.ts';

const buildSeconds: ConfiguredMeter = {
  name: 'build_seconds',
  eventType: 'org.example.build.done',
  unit: 's',
  quantity: 'seconds',
};

test('the built-in meters, by name and by the type of their events', () => {
  const { byName, byEventType } = meterSet();
  expect([...byName.keys()]).toEqual(['pulls', 'fusion', 'builds', 'mirrors', 'scans', 'egress_bytes']);
  expect([...byEventType].map(([type, { name }]) => `${type} ${name}`)).toEqual([
    'tonnage.pull pulls',
    'tonnage.fusion fusion',
    'tonnage.build builds',
    'tonnage.mirror mirrors',
    'tonnage.scan scans',
  ]);
});

test('bytes served have no events from outside', () => {
  expect(meterSet().byName.get('egress_bytes')).toMatchObject({ unit: 'By' });
  expect(meterSet().byName.get('egress_bytes')).not.toHaveProperty('eventType');
});

test('configured meters come after the built-in ones', () => {
  const { byName, byEventType } = meterSet([buildSeconds]);
  expect([...byName.keys()].at(-1)).toBe('build_seconds');
  expect(byEventType.get('org.example.build.done')).toEqual({ ...buildSeconds, quantityMax: 30 * 86_400 });
});

test.each([
  [{ name: 'pulls' }, /expected unique names of meters, got pulls twice/],
  [{ eventType: 'tonnage.pull' }, /expected unique event types of meters, got tonnage.pull twice/],
  [{ eventType: 'tonnage.void' }, /expected unique event types of meters, got tonnage.void twice/],
])('%j breaks an assertion', (change, message) => {
  expect(() => meterSet([{ ...buildSeconds, ...change }])).toThrow(message);
});
