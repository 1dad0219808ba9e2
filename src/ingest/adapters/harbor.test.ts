import { describe, expect, test } from 'vitest';
import { adapted, digest, harborCloudEvent, harborData, harborPull, resource, described } from '../testing/adapted.ts';

const dimensions = { upstream: 'harbor.example.org', repository: 'library/alpine', tag: '3.20' };

describe('a pull', () => {
  test('in its own format has a hash of its content as identity', () => {
    expect(adapted('harbor', harborPull())).toEqual([
      {
        kind: 'usage',
        source: 'harbor',
        id: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
        meter: 'pulls',
        time: Date.parse('2026-11-21T12:00:00Z'),
        quantity: 1n,
        dimensions: { ...dimensions, user: 'robot$ci' },
      },
    ]);
    expect(adapted('harbor', harborPull())).toEqual(adapted('harbor', harborPull()));
  });

  test.each([
    [{ occur_at: 1_795_262_399 }],
    [{ operator: 'other' }],
    [{ event_data: { ...harborData, resources: [{ ...resource, digest: `sha256:${'b'.repeat(64)}` }] } }],
    [{ event_data: { ...harborData, repository: { ...harborData.repository, repo_full_name: 'library/b' } } }],
  ])('that says something else is another one (%#)', (changes) => {
    const idsOf = (body: unknown) => adapted('harbor', body).map((read) => ('id' in read ? read.id : 'none'));
    expect(idsOf(harborPull(changes))).not.toEqual(idsOf(harborPull()));
  });

  test('as a CloudEvent has its id', () => {
    expect(adapted('harbor', harborCloudEvent(), { contentType: 'application/cloudevents+json' })).toEqual([
      {
        kind: 'usage',
        source: '/projects/2/webhook/policies/1',
        id: '4e8a7b1c-66a5-4d1a-9a0e-9a3f0f6a2b11',
        meter: 'pulls',
        time: Date.parse('2026-11-21T11:59:00Z'),
        quantity: 1n,
        dimensions: { ...dimensions, user: 'alice' },
      },
    ]);
  });

  const two = { ...harborData, resources: [resource, resource] };
  test.each([harborPull({ event_data: two }), harborCloudEvent({ data: two })])(
    'of several artifacts is one of each (%#)',
    (body) => {
      const read = adapted('harbor', body);
      const ids = new Set(read.map((event) => ('id' in event ? event.id : 'none')));
      expect([read.length, ids.size]).toEqual([2, 2]);
    },
  );

  test('by digest has no tag', () => {
    const resources = [{ digest, tag: digest, resource_url: `https://Harbor.example.org/library/alpine@${digest}` }];
    const [read] = adapted('harbor', harborPull({ event_data: { ...harborData, resources } }));
    expect(read).toMatchObject({ dimensions: { upstream: 'harbor.example.org' } });
    expect(read).not.toHaveProperty('dimensions.tag');
  });
});

test.each([
  'PUSH_ARTIFACT',
  'DELETE_ARTIFACT',
  'SCANNING_COMPLETED',
  'SCANNING_FAILED',
  'SCANNING_STOPPED',
  'QUOTA_EXCEED',
  'QUOTA_WARNING',
  'REPLICATION',
  'TAG_RETENTION',
  'harbor.artifact.pushed',
  'harbor.scan.completed',
  'harbor.replication.status.changed',
  'harbor.tag_retention.finished',
])('%s is ignored', (type) => {
  expect(described('harbor', harborPull({ type }))).toEqual(['ignored: other_action']);
});

test('an upstream behind the gateway is ignored; the configuration sets the upstream and the organisations', () => {
  const ignoreUpstreams = ['harbor.example.org'];
  expect(described('harbor', harborPull(), { settings: { ignoreUpstreams } })).toEqual(['ignored: upstream']);
  const settings = { upstream: 'lab', orgs: new Map([['library', 'example.org']]) };
  expect(adapted('harbor', harborPull(), { settings })).toMatchObject([
    { dimensions: { upstream: 'lab', org: 'example.org' } },
  ]);
});
