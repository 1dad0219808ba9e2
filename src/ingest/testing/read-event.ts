import { meterSet, type LedgerEvent } from '../../usage/index.ts';
import { createEventReader } from '../event-reader.ts';
import { Refusal } from '../refusal.ts';
import type { Sender } from '../sender.ts';

/** The moment at which every event of these tests is received. */
export const receivedAt = Date.parse('2026-11-21T12:00:00Z');

/** Somebody who may send, bound to no organisation. */
export const unbound: Sender = { admin: false };

/** Configured meters in addition to the built-in ones: seconds, bytes and another unit. */
export const meters = meterSet([
  { name: 'build_seconds', eventType: 'org.example.build.done', unit: 's', quantity: 'seconds' },
  { name: 'sent_bytes', eventType: 'org.example.sent', unit: 'By', quantity: 'bytes' },
  { name: 'energy', eventType: 'org.example.energy', unit: 'kW.h', quantity: 'quantity' },
]);

/** A build with `changes` over its attributes; those that are `undefined` are left out. */
export function build(changes: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  const event = { specversion: '1.0', type: 'tonnage.build', source: '/ci', id: '1', ...changes };
  return Object.fromEntries(Object.entries(event).filter(([, value]) => value !== undefined));
}

/** What is read of one event. */
export function readEvent(event: unknown, sender: Sender = unbound): LedgerEvent | Refusal {
  return createEventReader({ meters, sender, now: receivedAt })(event);
}

/** What is read of an event after it has been JSON text, as `reason: message` when it is refused. */
export function refusalOf(event: unknown, sender: Sender = unbound): string {
  const read = readEvent(event, sender);
  return read instanceof Refusal ? `${read.reason}: ${read.message}` : 'taken';
}
