import type { LedgerEvent } from '../../usage/index.ts';
import type { EventReader } from '../event-reader.ts';
import { Refusal } from '../refusal.ts';
import type { Adapter, AdapterName, AdapterSettings, Mapped } from './contract.ts';
import { createDistributionAdapter } from './distribution.ts';
import { createHarborAdapter } from './harbor.ts';
import { Ignored } from './ignored.ts';
import { createZotAdapter } from './zot.ts';

export { adapterNames, type Adapter, type AdapterName, type AdapterSettings, type Mapped } from './contract.ts';
export { Ignored, ignoredReasons, type IgnoredReason } from './ignored.ts';

/** Settings of an adapter that is not configured. */
const defaults: AdapterSettings = Object.freeze({ ignoreUpstreams: [], orgs: new Map<string, string>() });

const factories = {
  distribution: createDistributionAdapter,
  harbor: createHarborAdapter,
  zot: createZotAdapter,
} as const satisfies Record<AdapterName, (settings: AdapterSettings) => Adapter>;

/** Creates the adapter for one kind of system. */
export function createAdapter(name: AdapterName, settings: AdapterSettings = defaults): Adapter {
  return factories[name](settings);
}

/** Validates the events of an adapter. Refusals use the member names of the notification. */
export function createMappedReader(
  { members }: Adapter,
  readEvent: EventReader,
): (mapped: Mapped) => LedgerEvent | Refusal | Ignored {
  return (mapped) => {
    if (mapped instanceof Refusal || mapped instanceof Ignored) return mapped;
    const event = readEvent(mapped);
    return event instanceof Refusal ? renamed(event, members) : event;
  };
}

function renamed({ reason, message }: Refusal, members: Adapter['members']): Refusal {
  const end = message.indexOf(':');
  const name = members.get(message.slice(0, end));
  return new Refusal(reason, name === undefined ? message : name + message.slice(end));
}
