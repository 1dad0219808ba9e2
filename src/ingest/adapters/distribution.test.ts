import { describe, expect, test } from 'vitest';
import { adapted, distributionPull, distributionWith, described } from '../testing/adapted.ts';

const envelope = (...events: unknown[]): unknown => ({ events });

describe('a pull', () => {
  test('is one event with all its dimensions', () => {
    expect(adapted('distribution', envelope(distributionPull()))).toEqual([
      {
        kind: 'usage',
        source: '7c1d3c0a-9a43-4f0e-8f0a-1f2e3d4c5b6a',
        id: '0f2c9d6e-7e0e-4f3c-9d53-3f1c8b1c2a10',
        meter: 'pulls',
        time: Date.parse('2026-11-21T11:58:07.123Z'),
        quantity: 1n,
        dimensions: {
          upstream: 'registry.example.org:5000',
          repository: 'team/app',
          tag: 'v1',
          user: 'alice',
          client: '192.0.2.7',
        },
      },
    ]);
  });

  test.each([
    ['192.0.2.7', '192.0.2.7'],
    ['[2001:db8::1]:443', '2001:db8::1'],
    ['2001:db8::1', '2001:db8::1'],
    ['host.example.org:1', 'host.example.org'],
  ])('of a client at %j', (addr, client) => {
    const event = distributionWith('request', { addr });
    expect(adapted('distribution', envelope(event))).toMatchObject([{ dimensions: { client } }]);
  });

  test.each([
    [{ instanceID: 'i', addr: 'a:1' }, 'i'],
    [{ addr: 'a:1' }, 'a:1'],
    [{ instanceID: '' }, 'distribution'],
  ])('from %j', (source, identity) => {
    expect(adapted('distribution', envelope(distributionPull({ source })))).toMatchObject([{ source: identity }]);
  });

  test('without tag, user and host has none of these dimensions', () => {
    const { target } = distributionPull() as { target: object };
    const request = { method: 'GET', host: '', addr: '' };
    const event = distributionPull({ target: { ...target, tag: '' }, actor: { name: '' }, request });
    const [read] = adapted('distribution', envelope(event));
    expect(read).toHaveProperty('dimensions', { repository: 'team/app' });
  });

  test.each([
    'application/vnd.docker.distribution.manifest.v2+json',
    'application/vnd.oci.image.manifest.v1+json',
    'application/vnd.docker.distribution.manifest.v1+prettyjws',
    'application/vnd.docker.distribution.manifest.v1+json',
  ])('of %s counts', (mediaType) => {
    expect(described('distribution', envelope(distributionWith('target', { mediaType })))).toEqual(['accepted']);
  });
});

test.each([
  ['index', distributionWith('target', { mediaType: 'application/vnd.oci.image.index.v1+json' })],
  ['index', distributionWith('target', { mediaType: 'application/vnd.docker.distribution.manifest.list.v2+json' })],
  ['blob', distributionWith('target', { mediaType: 'application/octet-stream' })],
  ['blob', distributionWith('target', { mediaType: 'application/vnd.oci.image.config.v1+json' })],
  ['blob', distributionWith('target', { mediaType: undefined })],
  ['head', distributionWith('request', { method: 'HEAD' })],
  ['other_action', distributionPull({ action: 'push' })],
  ['other_action', distributionPull({ action: 'mount' })],
  ['other_action', distributionPull({ action: 'delete', target: { digest: 'sha256:1', repository: 'team/app' } })],
])('a notification that is not an image pull is ignored: %s (%#)', (reason, event) => {
  expect(described('distribution', envelope(event))).toEqual([`ignored: ${reason}`]);
});

describe('the configuration', () => {
  test('names the upstream', () => {
    const settings = { upstream: 'registry.example.org' };
    expect(adapted('distribution', envelope(distributionPull()), { settings })).toMatchObject([
      { dimensions: { upstream: 'registry.example.org' } },
    ]);
  });

  test.each([
    [{ ignoreUpstreams: ['registry.example.org:5000'] }],
    [{ upstream: 'lab', ignoreUpstreams: ['registry.example.org:5000'] }],
    [{ upstream: 'lab', ignoreUpstreams: ['lab'] }],
  ])('ignores what goes through the gateway: %j', (settings) => {
    expect(described('distribution', envelope(distributionPull()), { settings })).toEqual(['ignored: upstream']);
  });

  test.each([
    ['team/app', 'app.example'],
    ['team/app/deep', 'app.example'],
    ['team/application', 'team.example'],
    ['teams/app', 'rest.example'],
  ])('gives %s to %s', (repository, org) => {
    const orgs = new Map([
      ['team', 'team.example'],
      ['team/app', 'app.example'],
      ['*', 'rest.example'],
    ]);
    const event = distributionWith('target', { repository });
    expect(adapted('distribution', envelope(event), { settings: { orgs } })).toMatchObject([{ dimensions: { org } }]);
    expect(
      adapted('distribution', envelope(event), {
        settings: { orgs },
        sender: { tenant: 'bound.example', admin: false },
      }),
    ).toMatchObject([{ tenant: 'bound.example', dimensions: { org: 'bound.example' } }]);
  });
});
