import { asString, isJsonObject, parseDigest } from '../../oci/index.ts';
import { contentModeOf, eventContentTypes, eventsOfBody } from '../body.ts';
import { readEnvelope } from '../envelope.ts';
import { Refusal, shown } from '../refusal.ts';
import type { Adapter, AdapterSettings, Mapped } from './contract.ts';
import { Ignored } from './ignored.ts';
import { organisationOf, present, required, stated, withoutPort } from './rules.ts';

const scanned = 'zotregistry.image.scanned';
const otherTypes: ReadonlySet<string> = new Set([
  'zotregistry.repository.created',
  'zotregistry.image.updated',
  'zotregistry.image.deleted',
  'zotregistry.image.lint_failed',
]);

const members: ReadonlyMap<string, string> = new Map([
  ['data.repository', 'data.name'],
  ['data.tag', 'data.reference'],
  ['data.user', 'data.actor.name'],
  ['data.client', 'data.request.addr'],
]);

/** CloudEvents of zot, which reports no pulls. A scanned image is a scan. */
export function createZotAdapter(settings: AdapterSettings): Adapter {
  return {
    name: 'zot',
    contentTypes: eventContentTypes,
    members,
    modeOf: contentModeOf,
    map: ({ mode, headers, body, tenant }) =>
      eventsOfBody(mode, headers, body).map((event) => mapEvent(event, settings, tenant)),
  };
}

function mapEvent(event: unknown, settings: AdapterSettings, tenant: string | undefined): Mapped {
  if (event instanceof Refusal) return event;
  const envelope = readEnvelope(event);
  if (envelope instanceof Refusal) return envelope;
  const { type, source, id, time, data } = envelope;
  if (otherTypes.has(type)) return new Ignored('other_action');
  if (type !== scanned) {
    return new Refusal('unknown_type', `type: expected the type of a zot event, got ${shown(type)}`);
  }
  const { name, reference, actor, request } = data;
  return {
    specversion: '1.0',
    type: 'tonnage.scan',
    source,
    id,
    ...present({ time }),
    data: {
      repository: required(name),
      ...present({
        org: tenant ?? organisationOf(name, settings),
        upstream: settings.upstream,
        tag: parseDigest(asString(reference) ?? '') === null ? stated(reference) : undefined,
        user: isJsonObject(actor) ? stated(actor['name']) : undefined,
        client: isJsonObject(request) ? stated(withoutPort(request['addr'])) : undefined,
      }),
    },
  };
}
