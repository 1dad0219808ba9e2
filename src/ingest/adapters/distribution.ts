import { limits, TonnageError } from '../../base/index.ts';
import { bareMediaType, countsAsPull, isJsonObject, manifestKindOf, type JsonObject } from '../../oci/index.ts';
import type { HeaderLines } from '../binary-mode.ts';
import { jsonOfBody, type ContentMode } from '../body.ts';
import { Refusal, shown } from '../refusal.ts';
import type { Adapter, AdapterSettings, Mapped } from './contract.ts';
import { Ignored } from './ignored.ts';
import { isCountedElsewhere, organisationOf, present, required, stated, withoutPort } from './rules.ts';

/** Both versions have the same content. Releases before 3.0 send the first one. */
const contentTypes = [
  'application/vnd.docker.distribution.events.v2+json',
  'application/vnd.docker.distribution.events.v1+json',
  'application/json',
] as const;

const otherActions: ReadonlySet<unknown> = new Set(['push', 'mount', 'delete']);
const noMembers: JsonObject = Object.freeze({});

const members: ReadonlyMap<string, string> = new Map([
  ['source', 'source.instanceID'],
  ['time', 'timestamp'],
  ['data.upstream', 'request.host'],
  ['data.repository', 'target.repository'],
  ['data.tag', 'target.tag'],
  ['data.user', 'actor.name'],
  ['data.client', 'request.addr'],
]);

/** Notifications of CNCF Distribution (`docker-registry`). Each GET of an image manifest is a pull. */
export function createDistributionAdapter(settings: AdapterSettings): Adapter {
  return {
    name: 'distribution',
    contentTypes,
    members,
    modeOf,
    map: ({ body, tenant }) => eventsOf(jsonOfBody(body)).map((event) => mapEvent(event, settings, tenant)),
  };
}

function modeOf(headers: HeaderLines): ContentMode {
  const type = headers['content-type']?.[0] ?? '';
  if (contentTypes.some((accepted) => accepted === bareMediaType(type))) return 'plain';
  const got = type === '' ? 'nothing' : shown(type);
  throw new TonnageError('unsupported_media_type', `Content-Type: expected ${contentTypes.join(', ')}, got ${got}`);
}

function eventsOf(envelope: unknown): readonly unknown[] {
  if (!isJsonObject(envelope)) throw malformed(`an object with a list of events, got ${shown(envelope)}`);
  const events = envelope['events'];
  if (!Array.isArray(events)) throw malformed(`a list as its member events, got ${shown(events)}`);
  if (events.length <= limits.eventBatchMax) return events;
  throw new TonnageError(
    'request_too_large',
    `expected at most ${limits.eventBatchMax} events in one request, got ${events.length}`,
  );
}

function malformed(expected: string): TonnageError {
  return new TonnageError('bad_request', `body: expected ${expected}`);
}

function refused(message: string): Refusal {
  return new Refusal('invalid_event', message);
}

function mapEvent(event: unknown, settings: AdapterSettings, tenant: string | undefined): Mapped {
  if (!isJsonObject(event)) return refused(`expected an event (an object), got ${shown(event)}`);
  const { action, timestamp } = event;
  if (otherActions.has(action)) return new Ignored('other_action');
  if (action !== 'pull') return refused(`action: expected pull, push, mount or delete, got ${shown(action)}`);
  const parts = partsOf(event);
  if (parts instanceof Refusal) return parts;
  const { target, request, actor, source } = parts;
  const notPulled = notAnImage(target['mediaType'], request['method']);
  if (notPulled !== undefined) return notPulled;
  if (isCountedElsewhere(request['host'], settings)) return new Ignored('upstream');
  if (stated(timestamp) === undefined) {
    return new Refusal('invalid_time', `timestamp: expected an RFC 3339 time, got ${shown(timestamp)}`);
  }
  return {
    specversion: '1.0',
    type: 'tonnage.pull',
    // Distribution always sends an instance id, but a system that forwards its notifications may omit it.
    source: stated(source['instanceID']) ?? stated(source['addr']) ?? 'distribution',
    id: event['id'],
    time: timestamp,
    data: {
      repository: required(target['repository']),
      ...present({
        org: tenant ?? organisationOf(target['repository'], settings),
        upstream: settings.upstream ?? stated(request['host']),
        tag: stated(target['tag']),
        user: stated(actor['name']),
        client: stated(withoutPort(request['addr'])),
      }),
    },
  };
}

/** The reason why a pull is not that of an image; `undefined` if it is. */
function notAnImage(mediaType: unknown, method: unknown): Mapped | undefined {
  if (mediaType !== undefined && typeof mediaType !== 'string') {
    return refused(`target.mediaType: expected a media type, got ${shown(mediaType)}`);
  }
  if (mediaType === undefined || manifestKindOf(mediaType) === null) return new Ignored('blob');
  if (!countsAsPull(mediaType)) return new Ignored('index');
  if (method === 'HEAD') return new Ignored('head');
  return method === 'GET' ? undefined : refused(`request.method: expected GET or HEAD, got ${shown(method)}`);
}

interface Parts {
  readonly target: JsonObject;
  readonly request: JsonObject;
  readonly actor: JsonObject;
  readonly source: JsonObject;
}

/** The parts of an event. Only `target` is required. */
function partsOf(event: JsonObject): Parts | Refusal {
  const { target, request = noMembers, actor = noMembers, source = noMembers } = event;
  if (!isJsonObject(target)) return notAnObject('target', target);
  if (!isJsonObject(request)) return notAnObject('request', request);
  if (!isJsonObject(actor)) return notAnObject('actor', actor);
  if (!isJsonObject(source)) return notAnObject('source', source);
  return { target, request, actor, source };
}

function notAnObject(name: string, value: unknown): Refusal {
  return refused(`${name}: expected an object, got ${shown(value)}`);
}
