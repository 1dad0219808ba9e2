import type { Config } from '../config/index.ts';
import type { AdapterName, AdapterSettings } from '../ingest/index.ts';

/** The settings of the adapters that read notifications of other registries. */
export function adapterSettings({ ingest }: Config): Readonly<Record<AdapterName, AdapterSettings>> {
  const { distribution, harbor, zot } = ingest;
  return { distribution: settingsOf(distribution), harbor: settingsOf(harbor), zot: settingsOf(zot) };
}

function settingsOf({ orgs, ...settings }: Config['ingest']['distribution' | 'zot']): AdapterSettings {
  return { ignoreUpstreams: [], ...settings, orgs: new Map(Object.entries(orgs)) };
}
