import { meterSet, type LedgerEvent } from '../../usage/index.ts';
import { createEventReader } from '../event-reader.ts';
import { Refusal } from '../refusal.ts';
import type { Sender } from '../sender.ts';

/** The arrival time of all events in these tests. */
export const receivedAt = Date.parse('2026-11-21T12:00:00Z');

/** A sender without organisation. */
export const unbound: Sender = { admin: false };

/** Configured meters in addition to the built-in ones: seconds, bytes and another unit. */
export const meters = meterSet([
  { name: 'build_seconds', eventType: 'org.example.build.done', unit: 's', quantity: 'seconds' },
  { name: 'sent_bytes', eventType: 'org.example.sent', unit: 'By', quantity: 'bytes' },
  { name: 'energy', eventType: 'org.example.energy', unit: 'kW.h', quantity: 'quantity' },
]);

/** A build event. `changes` override attributes; `undefined` removes one. */
export function build(changes: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  const event = { specversion: '1.0', type: 'tonnage.build', source: '/ci', id: '1', ...changes };
  return Object.fromEntries(Object.entries(event).filter(([, value]) => value !== undefined));
}

/** Validates one event. */
export function readEvent(event: unknown, sender: Sender = unbound): LedgerEvent | Refusal {
  return createEventReader({ meters, sender, now: receivedAt })(event);
}

/** Validates an event: `reason: message` if it is refused, otherwise `accepted`. */
export function refusalOf(event: unknown, sender: Sender = unbound): string {
  const read = readEvent(event, sender);
  return read instanceof Refusal ? `${read.reason}: ${read.message}` : 'accepted';
}
