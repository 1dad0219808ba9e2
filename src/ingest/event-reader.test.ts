import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { dimensions } from '../usage/index.ts';
import type { Sender } from './sender.ts';
import { build, readEvent, receivedAt, refusalOf } from './testing/read-event.ts';

const bound: Sender = { tenant: 'a.org', admin: false };
const admin: Sender = { admin: true };

describe('a usage event', () => {
  test('in full', () => {
    const data = {
      org: 'A.Org',
      email: 'alice@a.org',
      arch: 'x86_64',
      upstream: 'Docker.IO',
      repository: 'library/alpine',
      tag: 'V1',
      outcome: 'success',
      user: 'Alice',
      client: '10.0.0.1',
      quantity: 3,
    };
    expect(readEvent(build({ time: '2026-11-20T23:30:00-01:00', data }))).toEqual({
      kind: 'usage',
      source: '/ci',
      id: '1',
      meter: 'builds',
      time: Date.parse('2026-11-21T00:30:00Z'),
      quantity: 3n,
      dimensions: {
        org: 'a.org',
        arch: 'amd64',
        upstream: 'docker.io',
        repository: 'library/alpine',
        tag: 'V1',
        outcome: 'success',
        user: 'Alice',
        client: '10.0.0.1',
      },
    });
  });

  test('without data is one event now, without dimensions', () => {
    expect(readEvent(build())).toEqual({
      kind: 'usage',
      source: '/ci',
      id: '1',
      meter: 'builds',
      time: receivedAt,
      quantity: 1n,
      dimensions: {},
    });
  });

  test.each([
    ['tonnage.pull', 'pulls'],
    ['tonnage.fusion', 'fusion'],
    ['tonnage.build', 'builds'],
    ['tonnage.mirror', 'mirrors'],
    ['tonnage.scan', 'scans'],
  ])('of the type %s counts for %s', (type, meter) => {
    expect(readEvent(build({ type }))).toMatchObject({ meter });
  });

  test.each([
    ['1', 1n],
    ['1.0', 1n],
    ['1e3', 1000n],
    ['1000000', 1_000_000n],
  ])('takes the quantity %s by its value', (text, quantity) => {
    expect(readEvent(build({ data: JSON.parse(`{"quantity":${text}}`) }))).toMatchObject({ quantity });
  });

  test.each([
    ['org.example.build.done', 'seconds', 30 * 86_400, 's'],
    ['org.example.sent', 'bytes', 2 ** 40, 'By'],
    ['org.example.energy', 'quantity', 1_000_000, 'kW.h'],
  ])('of the type %s takes a %s up to %i, and says the limit of a larger one', (type, member, largest, unit) => {
    expect(readEvent(build({ type, data: { [member]: largest } }))).toMatchObject({ quantity: BigInt(largest) });
    expect(refusalOf(build({ type, data: { [member]: largest + 1 } }))).toBe(
      `invalid_quantity: data.${member}: expected a whole number from 1 to ${largest} (usage.quantityMax, unit ${unit}), got ${largest + 1}`,
    );
  });

  test.each([
    ['docker.io', 'docker.io'],
    ['Registry.Example.ORG:5000', 'registry.example.org:5000'],
    ['lab', 'lab'],
    ['my_registry-2:80', 'my_registry-2:80'],
    ['[2001:DB8::1]:5000', '[2001:db8::1]:5000'],
    ['192.0.2.1', '192.0.2.1'],
  ])('of the upstream %s counts for %s', (upstream, counted) => {
    expect(readEvent(build({ data: { upstream } }))).toMatchObject({ dimensions: { upstream: counted } });
  });

  test('of a configured meter has its quantity in the configured member', () => {
    const event = build({ type: 'org.example.build.done', data: { seconds: 90 } });
    expect(readEvent(event)).toMatchObject({ meter: 'build_seconds', quantity: 90n });
  });

  test('may have extension attributes, a subject, and attributes that are null', () => {
    const event = build({
      subject: null,
      dataschema: 'https://example.org/schema',
      datacontenttype: 'application/vnd.example+json; charset=utf-8',
      time: null,
      traceparent: '00-x-y-01',
      sequence: 7,
      data_base64: null,
    });
    expect(readEvent(event)).toMatchObject({ kind: 'usage', time: receivedAt });
  });

  test('has no dimension for null, and no architecture for unknown', () => {
    const data = { org: null, email: null, arch: 'unknown', tag: null };
    expect(readEvent(build({ data }))).toMatchObject({ dimensions: {} });
    expect(readEvent(build({ data: null }))).toMatchObject({ dimensions: {} });
  });

  test('may have JSON data in base64', () => {
    const data_base64 = Buffer.from('{"org":"a.org"}').toString('base64');
    expect(readEvent(build({ data_base64 }))).toMatchObject({ dimensions: { org: 'a.org' } });
  });

  test('may state its organisation by e-mail only', () => {
    expect(readEvent(build({ data: { email: 'x@B.org' } }))).toMatchObject({ dimensions: { org: 'b.org' } });
  });

  test.each([
    ['AArch64', 'arm64'],
    ['x86-64', 'amd64'],
    ['arm', 'arm'],
    ['s390x', 's390x'],
  ])('folds the architecture %s to %s', (arch, folded) => {
    expect(readEvent(build({ data: { arch } }))).toMatchObject({ dimensions: { arch: folded } });
  });
});

describe('the organisation and tenant', () => {
  const org = (read: ReturnType<typeof readEvent>) =>
    read instanceof Object && 'dimensions' in read ? read : undefined;

  test('bound credentials are the tenant, and give their organisation to an event that states none', () => {
    expect(org(readEvent(build(), bound))).toMatchObject({ tenant: 'a.org', dimensions: { org: 'a.org' } });
    expect(org(readEvent(build({ data: { email: 'x@A.org' } }), bound))).toMatchObject({
      dimensions: { org: 'a.org' },
    });
  });

  test('an admin with an organisation has that tenant, and may state any organisation', () => {
    const sender = { tenant: 'a.org', admin: true };
    expect(org(readEvent(build({ data: { org: 'b.org' } }), sender))).toMatchObject({
      tenant: 'a.org',
      dimensions: { org: 'b.org' },
    });
    expect(org(readEvent(build(), sender))?.dimensions).toEqual({});
  });

  test('unbound credentials may state any organisation, and have no tenant', () => {
    expect(org(readEvent(build({ data: { org: 'b.org' } })))).not.toHaveProperty('tenant');
  });
});

describe('a void', () => {
  const revoke = (data: unknown, changes = {}) => build({ type: 'tonnage.void', id: 'v1', data, ...changes });

  test('names an event of the same tenant', () => {
    expect(readEvent(revoke({ source: '/ci', id: '1' }), bound)).toEqual({
      kind: 'void',
      tenant: 'a.org',
      source: '/ci',
      id: 'v1',
      time: receivedAt,
      target: { tenant: 'a.org', source: '/ci', id: '1' },
    });
    expect(readEvent(revoke({ source: '/ci', id: '1' }))).toMatchObject({ target: { source: '/ci', id: '1' } });
  });

  test('of an admin may name another tenant, or none', () => {
    const target = (tenant: unknown, sender: Sender) => {
      const read = readEvent(revoke({ source: '/ci', id: '1', tenant }), sender);
      return 'target' in read ? read.target : read;
    };
    expect(target('B.org', admin)).toEqual({ tenant: 'b.org', source: '/ci', id: '1' });
    expect(target(null, { tenant: 'a.org', admin: true })).toEqual({ source: '/ci', id: '1' });
    expect(target('a.org', bound)).toEqual({ tenant: 'a.org', source: '/ci', id: '1' });
  });

  const words = (data: unknown, sender: Sender = bound) => refusalOf(revoke(data), sender);
  test.each([
    [{}, 'invalid_event: data.source: expected a text of 1 to 512 characters, without control characters, got nothing'],
    [
      { source: '/ci', id: 7 },
      'invalid_event: data.id: expected a text of 1 to 512 characters, without control characters, got 7',
    ],
    [
      { source: '/ci', id: '1', org: 'a.org' },
      'unknown_member: data: expected source and id of the event to void, got "org" too',
    ],
    [
      { source: '/ci', id: '1', tenant: 'b.org' },
      'not_your_organisation: data.tenant: expected "a.org", because these credentials do not have the right admin, got "b.org"',
    ],
    [
      { source: '/ci', id: '1', tenant: null },
      'not_your_organisation: data.tenant: expected "a.org", because these credentials do not have the right admin, got null',
    ],
    [
      { source: '/ci', id: '1', tenant: 'a b' },
      'invalid_dimension: data.tenant: expected an organisation (written like a domain: letters, digits, "-" and "."), got "a b"',
    ],
  ])('with %j is refused', (data, message) => expect(words(data)).toBe(message));

  test('of unbound credentials without admin cannot name a tenant', () => {
    expect(words({ source: '/ci', id: '1', tenant: 'b.org' }, { admin: false })).toBe(
      'not_your_organisation: data.tenant: expected none, because these credentials do not have the right admin, got "b.org"',
    );
  });
});

describe('any value', () => {
  const value = fc.jsonValue({ maxDepth: 3 });
  const members = [...dimensions, 'email', 'quantity', 'source', 'id', 'tenant', '__proto__', 'seconds'];

  test('instead of an event, an attribute or a member of data is accepted or refused, and never throws', () => {
    const data = fc.oneof(value, fc.dictionary(fc.constantFrom(...members), value));
    const attribute = fc.oneof(
      fc.record({ name: fc.constantFrom('data', 'data'), value: data }),
      fc.record({ name: fc.constantFrom('type', 'source', 'id', 'time', 'specversion', '__proto__'), value }),
      fc.record({ name: fc.string({ maxLength: 12 }), value }),
    );
    const type = fc.constantFrom('tonnage.build', 'tonnage.void', 'org.example.build.done');
    const event = fc.tuple(type, fc.array(attribute, { maxLength: 4 })).map(([name, attributes]) => {
      return JSON.stringify(
        Object.fromEntries([
          ...Object.entries(build({ type: name })),
          ...attributes.map((each) => [each.name, each.value]),
        ]),
      );
    });
    const sender = fc.constantFrom(bound, admin, { admin: false });
    const property = fc.property(fc.oneof(event, fc.json()), sender, (text, who) => {
      const read = readEvent(JSON.parse(text), who);
      const isWhole = 'kind' in read ? read.source.length > 0 && read.id.length > 0 : read.message.length < 1_000;
      expect(isWhole).toBe(true);
    });
    fc.assert(property, { numRuns: 5_000 });
  });
});
