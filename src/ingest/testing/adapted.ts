import {
  createAdapter,
  createMappedReader,
  Ignored,
  type AdapterName,
  type AdapterSettings,
} from '../adapters/index.ts';
import { createEventReader } from '../event-reader.ts';
import { Refusal } from '../refusal.ts';
import type { LedgerEvent } from '../../usage/index.ts';
import type { Sender } from '../sender.ts';
import { meters, receivedAt, unbound } from './read-event.ts';

interface AdaptedOptions {
  readonly settings?: Partial<AdapterSettings>;
  readonly sender?: Sender;
  readonly contentType?: string;
}

/** Converts a body with an adapter. A body that is not text is formatted as JSON. */
export function adapted(
  name: AdapterName,
  body: unknown,
  { settings, sender = unbound, contentType = 'application/json' }: AdaptedOptions = {},
): readonly (LedgerEvent | Refusal | Ignored)[] {
  const adapter = createAdapter(name, { ignoreUpstreams: [], orgs: new Map(), ...settings });
  const headers = { 'content-type': [contentType] };
  const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  const { tenant } = sender;
  const mode = adapter.modeOf(headers);
  return adapter
    .map({ mode, headers, body: bytes, ...(tenant !== undefined && { tenant }) })
    .map(createMappedReader(adapter, createEventReader({ meters, sender, now: receivedAt })));
}

/** Converts a body and describes each result: `accepted`, `ignored: reason` or `reason: message`. */
export function described(name: AdapterName, body: unknown, options?: AdaptedOptions): readonly string[] {
  return adapted(name, body, options).map((read) => {
    if (read instanceof Refusal) return `${read.reason}: ${read.message}`;
    return read instanceof Ignored ? `ignored: ${read.ignored}` : 'accepted';
  });
}

const imageType = 'application/vnd.oci.image.manifest.v1+json';
export const digest = `sha256:${'a'.repeat(64)}`;

/** A pull notification of Distribution. `changes` override members; `undefined` removes one. */
export function distributionPull(changes: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    id: '0f2c9d6e-7e0e-4f3c-9d53-3f1c8b1c2a10',
    timestamp: '2026-11-21T11:58:07.123456789Z',
    action: 'pull',
    target: {
      mediaType: imageType,
      size: 708,
      digest,
      length: 708,
      repository: 'team/app',
      url: `http://registry.example.org:5000/v2/team/app/manifests/${digest}`,
      tag: 'v1',
    },
    request: {
      id: '5a1c7b9e-6f4d-4a65-8d2c-0a3b1c9d8e7f',
      addr: '192.0.2.7:53412',
      host: 'Registry.example.org:5000',
      method: 'GET',
      useragent: 'containers/5.34.4 (github.com/containers/image)',
    },
    actor: { name: 'alice' },
    source: { addr: 'registry-0:5000', instanceID: '7c1d3c0a-9a43-4f0e-8f0a-1f2e3d4c5b6a' },
    ...changes,
  };
}

/** A pull notification with changes inside one of its objects. */
export function distributionWith(part: string, changes: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const event = distributionPull();
  return { ...event, [part]: { ...Object(event[part]), ...changes } };
}

export const resource = { digest, tag: '3.20', resource_url: 'harbor.example.org/library/alpine:3.20' };
export const harborData = {
  resources: [resource],
  repository: {
    date_created: 1_795_000_000,
    name: 'alpine',
    namespace: 'library',
    repo_full_name: 'library/alpine',
    repo_type: 'public',
  },
};

/** A pull notification in Harbor's own format. */
export function harborPull(changes: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return { type: 'PULL_ARTIFACT', occur_at: 1_795_262_400, operator: 'robot$ci', event_data: harborData, ...changes };
}

/** A pull notification of Harbor as a CloudEvent. */
export function harborCloudEvent(changes: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    specversion: '1.0',
    id: '4e8a7b1c-66a5-4d1a-9a0e-9a3f0f6a2b11',
    requestid: '7b6a2f0e-4a0f-4b8e-8e57-0f6f6a1c2d3e',
    source: '/projects/2/webhook/policies/1',
    type: 'harbor.artifact.pulled',
    datacontenttype: 'application/json',
    time: '2026-11-21T11:59:00Z',
    operator: 'alice',
    data: harborData,
    ...changes,
  };
}

/** An event of zot. */
export function zotEvent(type: string, changes: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    specversion: '1.0',
    id: 'd1f0c7d4-0f5a-4a9e-8b8d-6a5e4d3c2b1a',
    source: 'zotregistry.dev',
    type: `zotregistry.${type}`,
    time: '2026-11-21T11:59:30Z',
    datacontenttype: 'application/json',
    data: {
      name: 'team/app',
      reference: 'v1',
      digest,
      mediaType: imageType,
      actor: { name: 'bob' },
      request: { addr: '[2001:db8::7]:40112', method: 'PUT', useragent: 'zot' },
    },
    ...changes,
  };
}
