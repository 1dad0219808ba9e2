import { expect, test } from 'vitest';
import { adapted, digest, described, zotEvent } from '../testing/adapted.ts';

test('a scanned image is a scan', () => {
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

test('a digest as reference is not a tag', () => {
  const data = { name: 'team/app', reference: digest };
  expect(adapted('zot', zotEvent('image.scanned', { data }))).toMatchObject([
    { dimensions: { repository: 'team/app' } },
  ]);
});

test.each(['repository.created', 'image.updated', 'image.deleted', 'image.lint_failed'])('%s is ignored', (type) => {
  expect(described('zot', zotEvent(type))).toEqual(['ignored: other_action']);
});

test('each event of a request is converted', () => {
  expect(described('zot', [zotEvent('image.scanned'), zotEvent('image.updated')])).toEqual([
    'accepted',
    'ignored: other_action',
  ]);
});
