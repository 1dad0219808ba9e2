import { describe, expect, test } from 'vitest';
import { limits } from '../../base/index.ts';
import {
  adapted,
  distributionPull,
  distributionWith,
  harborCloudEvent,
  harborData,
  harborPull,
  resource,
  described,
  zotEvent,
} from '../testing/adapted.ts';

const source = 'a text of 1 to 512 characters, without control characters';
const repositoryForm = 'the name of a repository such as "library/alpine", of at most 255 characters';
const tagForm = 'a tag of at most 128 letters, digits, "_", "." and "-"';
const hostForm =
  'a host or a name (letters, digits, ".", "_" and "-"; an IPv6 address in brackets), with an optional port, of at most 261 characters';
const userForm = 'a text of 1 to 320 characters, without control characters and bidirectional controls';
const clientForm = 'a text of 1 to 255 characters, without control characters and bidirectional controls';
const timeForm = 'an RFC 3339 time with its offset, such as "2026-11-21T12:00:00Z"';

describe('an event of Distribution is refused', () => {
  test.each([
    [7, 'invalid_event: expected an event (an object), got 7'],
    [null, 'invalid_event: expected an event (an object), got null'],
    [[], 'invalid_event: expected an event (an object), got a list'],
    [{}, 'invalid_event: action: expected pull, push, mount or delete, got nothing'],
    [distributionPull({ action: 'PULL' }), 'invalid_event: action: expected pull, push, mount or delete, got "PULL"'],
    [distributionPull({ action: 1 }), 'invalid_event: action: expected pull, push, mount or delete, got 1'],
    [distributionPull({ target: undefined }), 'invalid_event: target: expected an object, got nothing'],
    [distributionPull({ target: 'team/app' }), 'invalid_event: target: expected an object, got "team/app"'],
    [distributionPull({ request: [] }), 'invalid_event: request: expected an object, got a list'],
    [distributionPull({ actor: 'alice' }), 'invalid_event: actor: expected an object, got "alice"'],
    [distributionPull({ source: null }), 'invalid_event: source: expected an object, got null'],
    [distributionWith('target', { mediaType: 1 }), 'invalid_event: target.mediaType: expected a media type, got 1'],
    [
      distributionWith('request', { method: undefined }),
      'invalid_event: request.method: expected GET or HEAD, got nothing',
    ],
    [distributionWith('request', { method: 'get' }), 'invalid_event: request.method: expected GET or HEAD, got "get"'],
    [distributionPull({ id: undefined }), `invalid_event: id: expected ${source}, got nothing`],
    [distributionPull({ id: '' }), `invalid_event: id: expected ${source}, got ""`],
    [distributionPull({ id: 'a\nb' }), `invalid_event: id: expected ${source}, got "a\\nb"`],
    [distributionWith('source', { instanceID: 5 }), `invalid_event: source.instanceID: expected ${source}, got 5`],
    [distributionPull({ timestamp: undefined }), 'invalid_time: timestamp: expected an RFC 3339 time, got nothing'],
    [
      distributionPull({ timestamp: '2026-11-21 11:58:07' }),
      `invalid_time: timestamp: expected ${timeForm}, got "2026-11-21 11:58:07"`,
    ],
    [distributionPull({ timestamp: 1_795_262_400 }), `invalid_time: timestamp: expected ${timeForm}, got 1795262400`],
    [
      distributionWith('target', { repository: undefined }),
      `invalid_dimension: target.repository: expected ${repositoryForm}, got nothing`,
    ],
    [
      distributionWith('target', { repository: null }),
      `invalid_dimension: target.repository: expected ${repositoryForm}, got nothing`,
    ],
    [
      distributionWith('target', { repository: 'Team/App' }),
      `invalid_dimension: target.repository: expected ${repositoryForm}, got "Team/App"`,
    ],
    [distributionWith('target', { tag: 'v 1' }), `invalid_dimension: target.tag: expected ${tagForm}, got "v 1"`],
    [
      distributionWith('target', { tag: '__other__' }),
      'invalid_dimension: target.tag: expected a value other than __other__, which is reserved for values beyond a limit',
    ],
    [distributionWith('request', { host: 'a/b' }), `invalid_dimension: request.host: expected ${hostForm}, got "a/b"`],
    [distributionWith('request', { addr: 5 }), `invalid_dimension: request.addr: expected ${clientForm}, got 5`],
    [distributionWith('actor', { name: 'a\tb' }), `invalid_dimension: actor.name: expected ${userForm}, got "a\\tb"`],
  ])('%#: %j', (event, message) => {
    expect(described('distribution', { events: [event, distributionPull()] })).toEqual([message, 'accepted']);
  });
});

describe('a webhook of Harbor is refused', () => {
  const withResource = (changes: object) =>
    harborPull({ event_data: { ...harborData, resources: [{ ...resource, ...changes }] } });

  test.each([
    [harborPull({ type: undefined }), 'unknown_type: type: expected the type of a Harbor webhook, got nothing'],
    [harborPull({ type: 'pull' }), 'unknown_type: type: expected the type of a Harbor webhook, got "pull"'],
    [harborPull({ type: ['PULL_ARTIFACT'] }), 'unknown_type: type: expected the type of a Harbor webhook, got a list'],
    [harborPull({ occur_at: undefined }), 'invalid_time: occur_at: expected whole seconds since 1970, got nothing'],
    [harborPull({ occur_at: 1.5 }), 'invalid_time: occur_at: expected whole seconds since 1970, got 1.5'],
    [harborPull({ occur_at: -1 }), 'invalid_time: occur_at: expected whole seconds since 1970, got -1'],
    [harborPull({ occur_at: 1e15 }), 'invalid_time: occur_at: expected whole seconds since 1970, got 1000000000000000'],
    [harborPull({ event_data: null }), 'invalid_event: event_data: expected an object, got null'],
    [harborPull({ event_data: {} }), 'invalid_event: repository: expected an object, got nothing'],
    [
      harborPull({ event_data: { ...harborData, resources: {} } }),
      'invalid_event: resources: expected a list of artifacts, got an object',
    ],
    [
      harborPull({ event_data: { ...harborData, resources: [] } }),
      'invalid_event: resources: expected at least one artifact, got an empty list',
    ],
    [
      harborPull({ event_data: { ...harborData, resources: ['x'] } }),
      'invalid_event: resources: expected objects, got "x"',
    ],
    [
      harborPull({ event_data: { ...harborData, repository: { repo_full_name: null } } }),
      `invalid_dimension: repository.repo_full_name: expected ${repositoryForm}, got nothing`,
    ],
    [
      harborPull({ event_data: { ...harborData, repository: { repo_full_name: 7 } } }),
      `invalid_dimension: repository.repo_full_name: expected ${repositoryForm}, got 7`,
    ],
    [withResource({ tag: 'a b' }), `invalid_dimension: resources.tag: expected ${tagForm}, got "a b"`],
    [withResource({ resource_url: 7 }), `invalid_dimension: resources.resource_url: expected ${hostForm}, got 7`],
    [harborPull({ operator: {} }), `invalid_dimension: operator: expected ${userForm}, got an object`],
    [harborCloudEvent({ specversion: '2.0' }), 'invalid_event: specversion: expected "1.0", got "2.0"'],
    [harborCloudEvent({ id: undefined }), `invalid_event: id: expected ${source}, got nothing`],
    [harborCloudEvent({ source: '' }), `invalid_event: source: expected ${source}, got ""`],
    [harborCloudEvent({ time: undefined }), 'invalid_time: time: expected an RFC 3339 time, got nothing'],
    [harborCloudEvent({ time: 'now' }), `invalid_time: time: expected ${timeForm}, got "now"`],
    [harborCloudEvent({ data: [] }), 'invalid_event: data: expected an object, got a list'],
    [harborCloudEvent({ data: undefined }), 'invalid_event: repository: expected an object, got nothing'],
  ])('%#: %j', (body, message) => {
    expect(described('harbor', body)).toEqual([message]);
  });
});

describe('an event of zot is refused', () => {
  test.each([
    [zotEvent('image.pulled'), 'unknown_type: type: expected the type of a zot event, got "zotregistry.image.pulled"'],
    [zotEvent('x', { type: 7 }), 'invalid_event: type: expected an event type, got 7'],
    [zotEvent('image.scanned', { specversion: undefined }), 'invalid_event: specversion: expected "1.0", got nothing'],
    [zotEvent('image.scanned', { time: 'x' }), `invalid_time: time: expected ${timeForm}, got "x"`],
    [
      zotEvent('image.scanned', { data: { name: null } }),
      `invalid_dimension: data.name: expected ${repositoryForm}, got nothing`,
    ],
    [zotEvent('image.scanned', { data: {} }), `invalid_dimension: data.name: expected ${repositoryForm}, got nothing`],
    [
      zotEvent('image.scanned', { data: { name: 'a', reference: 'a b' } }),
      `invalid_dimension: data.reference: expected ${tagForm}, got "a b"`,
    ],
    [
      zotEvent('image.scanned', { data: { name: 'a', actor: { name: 5 } } }),
      `invalid_dimension: data.actor.name: expected ${userForm}, got 5`,
    ],
    [
      zotEvent('image.scanned', { data: { name: 'a', request: { addr: 5 } } }),
      `invalid_dimension: data.request.addr: expected ${clientForm}, got 5`,
    ],
  ])('%#: %j', (body, message) => {
    expect(described('zot', body)).toEqual([message]);
  });
});

describe('a body without notifications is rejected', () => {
  test.each([
    ['distribution', '', 'bad_request', /^body: expected JSON: /],
    ['distribution', '{"events":', 'bad_request', /^body: expected JSON: /],
    ['distribution', [], 'bad_request', /^body: expected an object with a list of events, got a list$/],
    ['distribution', {}, 'bad_request', /^body: expected a list as its member events, got nothing$/],
    ['distribution', { events: {} }, 'bad_request', /^body: expected a list as its member events, got an object$/],
    ['harbor', '"x"', 'bad_request', /^body: expected an event or a list of events, got "x"$/],
    ['zot', 'null', 'bad_request', /^body: expected an event or a list of events, got null$/],
  ] as const)('%s: %j', (name, body, code, message) => {
    expect(() => adapted(name, body)).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message) }),
    );
  });

  test('if it has too many events', () => {
    const many = Array.from({ length: limits.eventBatchMax + 1 }, () => 1);
    expect(() => adapted('distribution', { events: many })).toThrow(/^expected at most 10000 events .*, got 10001$/);
    const resources = many.map(() => resource);
    expect(() => adapted('harbor', harborPull({ event_data: { ...harborData, resources } }))).toThrow(
      /^expected at most 10000 artifacts in one request, got 10001$/,
    );
  });

  test.each([
    ['distribution', 'text/plain', /^Content-Type: expected application\/vnd\.docker\.distribution\.events\.v2\+json/],
    ['distribution', '', /, got nothing$/],
    ['harbor', 'text/plain', /^Content-Type: expected application\/cloudevents\+json/],
    ['zot', 'application/xml', /^Content-Type: expected application\/cloudevents\+json/],
  ] as const)('%s: %j', (name, contentType, message) => {
    expect(() => adapted(name, {}, { contentType })).toThrow(message);
  });
});
