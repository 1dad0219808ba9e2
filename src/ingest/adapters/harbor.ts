import { createHash } from 'node:crypto';
import { limits, TonnageError } from '../../base/index.ts';
import { isJsonObject, parseDigest, type JsonObject } from '../../oci/index.ts';
import { contentModeOf, eventContentTypes, eventsOfBody } from '../body.ts';
import { readEnvelope } from '../envelope.ts';
import { Refusal, shown } from '../refusal.ts';
import type { Adapter, AdapterSettings, MapOptions, Mapped } from './contract.ts';
import { Ignored } from './ignored.ts';
import { isCountedElsewhere, organisationOf, present, required, stated } from './rules.ts';

/** The types of pulls, in Harbor's own format and as CloudEvents, and of all other notifications. */
const pullTypes: ReadonlySet<unknown> = new Set(['PULL_ARTIFACT', 'harbor.artifact.pulled']);
const otherTypePattern =
  /^(?:(?:PUSH|DELETE)_ARTIFACT|SCANNING_[A-Z]+|QUOTA_[A-Z]+|REPLICATION|TAG_RETENTION|harbor\.[a-z_.]+)$/;

const members: ReadonlyMap<string, string> = new Map([
  ['data.upstream', 'resources.resource_url'],
  ['data.repository', 'repository.repo_full_name'],
  ['data.tag', 'resources.tag'],
  ['data.user', 'operator'],
]);

/** The largest time in seconds that RFC 3339 can express: the end of the year 9999. */
const secondsMax = 253_402_300_799;

/** A pull notification of either format. */
interface Notification {
  readonly operator: unknown;
  readonly time: unknown;
  readonly data: JsonObject;
  /** The identity of the event for the artifact at `index` of `count`. */
  readonly identityOf: (resource: JsonObject, index: number, count: number) => { source: string; id: string };
}

/** Webhooks of Harbor, in both of its formats. Each pulled artifact is a pull. */
export function createHarborAdapter(settings: AdapterSettings): Adapter {
  return {
    name: 'harbor',
    contentTypes: eventContentTypes,
    members,
    modeOf: contentModeOf,
    map: (options) => mapBody(options, settings),
  };
}

function mapBody({ mode, headers, body, tenant }: MapOptions, settings: AdapterSettings): readonly Mapped[] {
  const mapped = eventsOfBody(mode, headers, body).flatMap((event) => mapEvent(event, settings, tenant));
  if (mapped.length <= limits.eventBatchMax) return mapped;
  throw new TonnageError(
    'request_too_large',
    `expected at most ${limits.eventBatchMax} artifacts in one request, got ${mapped.length}`,
  );
}

function refused(message: string): readonly Refusal[] {
  return [new Refusal('invalid_event', message)];
}

function mapEvent(event: unknown, settings: AdapterSettings, tenant: string | undefined): readonly Mapped[] {
  if (event instanceof Refusal) return [event];
  if (!isJsonObject(event)) return refused(`expected a notification (an object), got ${shown(event)}`);
  const { type } = event;
  if (typeof type === 'string' && !pullTypes.has(type) && otherTypePattern.test(type)) {
    return [new Ignored('other_action')];
  }
  if (!pullTypes.has(type)) {
    return [new Refusal('unknown_type', `type: expected the type of a Harbor webhook, got ${shown(type)}`)];
  }
  const notification = 'specversion' in event ? ofCloudEvent(event) : ofOwnFormat(event);
  if (notification instanceof Refusal) return [notification];
  return mapPull(notification, settings, tenant);
}

function ofCloudEvent(event: JsonObject): Notification | Refusal {
  const envelope = readEnvelope(event);
  if (envelope instanceof Refusal) return envelope;
  const { source, id, time, data } = envelope;
  if (stated(time) === undefined) {
    return new Refusal('invalid_time', `time: expected an RFC 3339 time, got ${shown(time)}`);
  }
  return {
    operator: event['operator'],
    time,
    data,
    identityOf: (_resource, index, count) => ({ source, id: count === 1 ? id : `${id}/${index}` }),
  };
}

function ofOwnFormat(event: JsonObject): Notification | Refusal {
  const { occur_at: seconds, operator, event_data: data } = event;
  if (typeof seconds !== 'number' || !Number.isInteger(seconds) || seconds < 0 || seconds > secondsMax) {
    return new Refusal('invalid_time', `occur_at: expected whole seconds since 1970, got ${shown(seconds)}`);
  }
  if (!isJsonObject(data)) {
    return new Refusal('invalid_event', `event_data: expected an object, got ${shown(data)}`);
  }
  return {
    operator,
    time: new Date(seconds * 1_000).toISOString(),
    data,
    identityOf: (resource, index) => ({ source: 'harbor', id: hashOf(event, resource, index) }),
  };
}

/** Harbor's own format has no id. A hash of its content identifies it, and stays the same when Harbor resends it. */
function hashOf({ occur_at, operator, event_data }: JsonObject, resource: JsonObject, index: number): string {
  const repository = isJsonObject(event_data) && isJsonObject(event_data['repository']) && event_data['repository'];
  const name = repository === false ? undefined : repository['repo_full_name'];
  const content = [occur_at, operator, name, index, resource['digest'], resource['tag'], resource['resource_url']];
  return `sha256:${createHash('sha256')
    .update(JSON.stringify(content.map(bounded)))
    .digest('hex')}`;
}

/** Longer than any accepted text. A truncated text is refused later; truncating avoids hashing it for each artifact. */
const hashedLengthMax = 4_096;

/** Bounds the cost of hashing a value. Objects and lists become `null`. */
function bounded(value: unknown): unknown {
  if (typeof value === 'string') return value.slice(0, hashedLengthMax);
  return typeof value === 'object' ? null : value;
}

function mapPull(
  { operator, time, data, identityOf }: Notification,
  settings: AdapterSettings,
  tenant: string | undefined,
): readonly Mapped[] {
  const { repository, resources } = data;
  if (!isJsonObject(repository)) return refused(`repository: expected an object, got ${shown(repository)}`);
  if (!Array.isArray(resources)) return refused(`resources: expected a list of artifacts, got ${shown(resources)}`);
  if (resources.length === 0) return refused('resources: expected at least one artifact, got an empty list');
  const name = repository['repo_full_name'];
  return resources.map((resource: unknown, index): Mapped => {
    if (!isJsonObject(resource)) {
      return new Refusal('invalid_event', `resources: expected objects, got ${shown(resource)}`);
    }
    const host = hostOf(resource['resource_url']);
    if (isCountedElsewhere(host, settings)) return new Ignored('upstream');
    return {
      specversion: '1.0',
      type: 'tonnage.pull',
      ...identityOf(resource, index, resources.length),
      time,
      data: {
        repository: required(name),
        ...present({
          org: tenant ?? organisationOf(name, settings),
          upstream: settings.upstream ?? host,
          tag: tagOf(resource['tag']),
          user: stated(operator),
        }),
      },
    };
  });
}

/** For a pull by digest, Harbor sends the digest as the tag. */
function tagOf(tag: unknown): unknown {
  return typeof tag === 'string' && parseDigest(tag) !== null ? undefined : stated(tag);
}

/** The host of `harbor.example.org/library/alpine:3`, with or without a scheme. */
function hostOf(url: unknown): unknown {
  return typeof url === 'string' ? stated(url.replace(/^https?:\/\//i, '').split('/', 1)[0]) : stated(url);
}
