import { expect, test } from 'vitest';
import { adapted, digest, said, zotEvent } from '../testing/adapted.ts';

test('an image that was scanned is a scan', () => {
  const settings = { upstream: 'zot.example.org', orgs: new Map([['team', 'team.example']]) };
  expect(adapted('zot', zotEvent('image.scanned'), { settings })).toEqual([
    {
      kind: 'usage',
      source: 'zotregistry.dev',
      id: 'd1f0c7d4-0f5a-4a9e-8b8d-6a5e4d3c2b1a',
      meter: 'scans',
      time: Date.parse('2026-11-21T11:59:30Z'),
      quantity: 1n,
      dimensions: {
        org: 'team.example',
        upstream: 'zot.example.org',
        repository: 'team/app',
        tag: 'v1',
        user: 'bob',
        client: '2001:db8::7',
      },
    },
  ]);
});

test('a reference that is a digest is no tag', () => {
  const data = { name: 'team/app', reference: digest };
  expect(adapted('zot', zotEvent('image.scanned', { data }))).toMatchObject([
    { dimensions: { repository: 'team/app' } },
  ]);
});

test.each(['repository.created', 'image.updated', 'image.deleted', 'image.lint_failed'])('%s is ignored', (type) => {
  expect(said('zot', zotEvent(type))).toEqual(['ignored: other_action']);
});

test('several events in one request are read one by one', () => {
  expect(said('zot', [zotEvent('image.scanned'), zotEvent('image.updated')])).toEqual([
    'taken',
    'ignored: other_action',
  ]);
});
