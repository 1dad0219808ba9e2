import { expect, test } from 'vitest';
import type { Sender } from './sender.ts';
import { build, refusalOf } from './testing/read-event.ts';

const text512 = 'expected a text of 1 to 512 characters, without control characters, got';
const rfc3339 = 'time: expected an RFC 3339 time with its offset, such as "2026-11-21T12:00:00Z", got';
const organisation = 'expected an organisation (written like a domain: letters, digits, "-" and "."), got';
const architecture =
  'data.arch: expected one architecture as in images, such as "amd64" (1 to 32 letters and digits, without variant; send one event per architecture), got';
const members = 'data: expected dimensions, email and quantity as members for builds, got';
const wholeNumber = 'data.quantity: expected a whole number from 1 to 1000000 (usage.quantityMax, unit 1), got';
const mail = 'data.email: expected an e-mail address with one "@" between a name and a domain, got';
const host =
  'data.upstream: expected a host or a name (letters, digits, ".", "_" and "-"; an IPv6 address in brackets), with an optional port, of at most 261 characters, got';
const name =
  'data.repository: expected the name of a repository such as "library/alpine", of at most 255 characters, got';
const tag = 'data.tag: expected a tag of at most 128 letters, digits, "_", "." and "-", got';
const outcome =
  'data.outcome: expected a word such as "success", of at most 32 lower-case letters, digits, "_", "." and "-", got';
const folded = 'expected a value other than __other__, which is reserved for values beyond a limit';
const long = (length: number) => `"${'x'.repeat(length)}…"`;

/** Events, as JSON text if the text matters, and otherwise as values. */
const malformed: readonly (readonly [event: unknown, reason: string, message: string])[] = [
  [null, 'invalid_event', 'expected an event (an object), got null'],
  [7, 'invalid_event', 'expected an event (an object), got 7'],
  ['event', 'invalid_event', 'expected an event (an object), got "event"'],
  [[], 'invalid_event', 'expected an event (an object), got a list'],
  [{}, 'invalid_event', 'specversion: expected "1.0", got nothing'],
  [build({ specversion: '0.3' }), 'invalid_event', 'specversion: expected "1.0", got "0.3"'],
  [build({ specversion: 1 }), 'invalid_event', 'specversion: expected "1.0", got 1'],
  [build({ specversion: null }), 'invalid_event', 'specversion: expected "1.0", got nothing'],
  [build({ source: undefined }), 'invalid_event', `source: ${text512} nothing`],
  [build({ source: '' }), 'invalid_event', `source: ${text512} ""`],
  [build({ source: 's'.repeat(513) }), 'invalid_event', `source: ${text512} "${'s'.repeat(80)}…"`],
  [build({ source: { uri: '/ci' } }), 'invalid_event', `source: ${text512} an object`],
  [build({ id: undefined }), 'invalid_event', `id: ${text512} nothing`],
  [build({ id: 17 }), 'invalid_event', `id: ${text512} 17`],
  [build({ id: null }), 'invalid_event', `id: ${text512} nothing`],
  [build({ id: 'a\u0000b' }), 'invalid_event', String.raw`id: ${text512} "a\u0000b"`],
  [build({ id: 'a\u0085b' }), 'invalid_event', String.raw`id: ${text512} "a\u0085b"`],
  [build({ id: 'a\ud800b' }), 'invalid_event', String.raw`id: ${text512} "a\ud800b"`],
  [build({ type: undefined }), 'invalid_event', 'type: expected an event type, got nothing'],
  [build({ type: '' }), 'invalid_event', 'type: expected an event type, got ""'],
  [build({ type: ['tonnage.build'] }), 'invalid_event', 'type: expected an event type, got a list'],
  [build({ type: 'tonnage.bild' }), 'unknown_type', 'got "tonnage.bild"'],
  [build({ type: 'Tonnage.Build' }), 'unknown_type', 'got "Tonnage.Build"'],
  [build({ type: '__proto__' }), 'unknown_type', 'got "__proto__"'],
  [
    build({ Time: '2026-11-21T12:00:00Z' }),
    'invalid_event',
    '"Time": expected attributes named in lower-case letters and digits',
  ],
  [
    build({ 'data-type': 1 }),
    'invalid_event',
    '"data-type": expected attributes named in lower-case letters and digits',
  ],
  [
    '{"__proto__":{"specversion":"1.0"}}',
    'invalid_event',
    '"__proto__": expected attributes named in lower-case letters and digits',
  ],
  [build({ org: 'a.org' }), 'invalid_event', 'org: expected it as a member of data, but data is absent'],
  [build({ quantity: 2 }), 'invalid_event', 'quantity: expected it as a member of data, but data is absent'],
  [
    build({ datacontenttype: 'text/xml' }),
    'invalid_event',
    'datacontenttype: expected application/json, got "text/xml"',
  ],
  [build({ datacontenttype: 1 }), 'invalid_event', 'datacontenttype: expected application/json, got 1'],
  [build({ data: 'org=a.org' }), 'invalid_event', 'data: expected an object, got "org=a.org"'],
  [build({ data: [{ org: 'a.org' }] }), 'invalid_event', 'data: expected an object, got a list'],
  [build({ data: false }), 'invalid_event', 'data: expected an object, got false'],
  [
    build({ data: {}, data_base64: 'e30=' }),
    'invalid_event',
    'data_base64: expected either data or data_base64, got both',
  ],
  [
    build({ data_base64: '!' }),
    'invalid_event',
    'data_base64: expected base64 of JSON in UTF-8; use data for plain JSON',
  ],
  [
    build({ data_base64: 'AAEC' }),
    'invalid_event',
    'data_base64: expected base64 of JSON in UTF-8; use data for plain JSON',
  ],
  [
    build({ data_base64: '/w==' }),
    'invalid_event',
    'data_base64: expected base64 of JSON in UTF-8; use data for plain JSON',
  ],
  // Not canonical base64, although a decoder would accept it.
  [
    build({ data_base64: 'e30' }),
    'invalid_event',
    'data_base64: expected base64 of JSON in UTF-8; use data for plain JSON',
  ],
  [build({ data_base64: 'W10=' }), 'invalid_event', 'data: expected an object, got a list'],
  [build({ time: 'yesterday' }), 'invalid_time', `${rfc3339} "yesterday"`],
  [build({ time: '2026-11-21' }), 'invalid_time', `${rfc3339} "2026-11-21"`],
  [build({ time: '2026-11-21T12:00:00' }), 'invalid_time', `${rfc3339} "2026-11-21T12:00:00"`],
  [build({ time: '2026-11-21 12:00:00Z' }), 'invalid_time', `${rfc3339} "2026-11-21 12:00:00Z"`],
  [build({ time: '2026-02-29T12:00:00Z' }), 'invalid_time', `${rfc3339} "2026-02-29T12:00:00Z"`],
  [build({ time: '2026-11-21T24:00:00Z' }), 'invalid_time', `${rfc3339} "2026-11-21T24:00:00Z"`],
  [build({ time: 1_795_262_400 }), 'invalid_time', `${rfc3339} 1795262400`],
  [build({ time: '' }), 'invalid_time', `${rfc3339} ""`],
  [build({ data: { quantity: 0 } }), 'invalid_quantity', `${wholeNumber} 0`],
  [build({ data: { quantity: -1 } }), 'invalid_quantity', `${wholeNumber} -1`],
  [build({ data: { quantity: 1.5 } }), 'invalid_quantity', `${wholeNumber} 1.5`],
  [build({ data: { quantity: '1' } }), 'invalid_quantity', `${wholeNumber} "1"`],
  [build({ data: { quantity: null } }), 'invalid_quantity', `${wholeNumber} null`],
  [build({ data: { quantity: true } }), 'invalid_quantity', `${wholeNumber} true`],
  [build({ data: { quantity: 9_007_199_254_740_992 } }), 'invalid_quantity', `${wholeNumber} 9007199254740992`],
  [
    '{"specversion":"1.0","type":"tonnage.build","source":"/ci","id":"1","data":{"quantity":1e999}}',
    'invalid_quantity',
    `${wholeNumber} Infinity`,
  ],
  [build({ data: { colour: 'red' } }), 'unknown_member', `${members} "colour"`],
  [build({ data: { Org: 'a.org' } }), 'unknown_member', `${members} "Org"`],
  [build({ data: { seconds: 3 } }), 'unknown_member', `${members} "seconds"`],
  [
    build({ data: { ['k'.repeat(200)]: 1 } }),
    'unknown_member',
    `${members} ${long(0).replace('…', `${'k'.repeat(80)}…`)}`,
  ],
  [
    '{"specversion":"1.0","type":"tonnage.build","source":"/ci","id":"1","data":{"__proto__":{"org":"a.org"}}}',
    'unknown_member',
    `${members} "__proto__"`,
  ],
  [
    build({ type: 'org.example.build.done', data: { quantity: 3 } }),
    'unknown_member',
    'data: expected dimensions, email and seconds as members for build_seconds, got "quantity"',
  ],
  [
    build({ type: 'org.example.build.done', data: {} }),
    'invalid_quantity',
    'data.seconds: expected a quantity, because build_seconds counts s, got nothing',
  ],
  [build({ data: { org: '' } }), 'invalid_dimension', `data.org: ${organisation} ""`],
  [build({ data: { org: 'a_b' } }), 'invalid_dimension', `data.org: ${organisation} "a_b"`],
  [build({ data: { org: 'a.org/x' } }), 'invalid_dimension', `data.org: ${organisation} "a.org/x"`],
  [build({ data: { org: '10.0.0.1' } }), 'invalid_dimension', `data.org: ${organisation} "10.0.0.1"`],
  [build({ data: { org: 7 } }), 'invalid_dimension', `data.org: ${organisation} 7`],
  [build({ data: { email: 'a@b@c' } }), 'invalid_dimension', `${mail} "a@b@c"`],
  [build({ data: { email: 'a.org' } }), 'invalid_dimension', `${mail} "a.org"`],
  [
    build({ data: { org: 'a.org', email: 'x@b.org' } }),
    'invalid_dimension',
    'data.email: expected the organisation of data.org, "a.org", got "b.org"',
  ],
  [build({ data: { arch: 'amd64,arm64' } }), 'invalid_dimension', `${architecture} "amd64,arm64"`],
  [build({ data: { arch: ['amd64', 'arm64'] } }), 'invalid_dimension', `${architecture} a list`],
  [build({ data: { arch: 'linux/amd64' } }), 'invalid_dimension', `${architecture} "linux/amd64"`],
  [build({ data: { arch: '' } }), 'invalid_dimension', `${architecture} ""`],
  [build({ data: { arch: 'a'.repeat(33) } }), 'invalid_dimension', `${architecture} "${'a'.repeat(33)}"`],
  [build({ data: { upstream: 'docker.io/library' } }), 'invalid_dimension', `${host} "docker.io/library"`],
  ...['docker io', '=1+1', '-up', 'up-', '@up', '"up"', 'a,b', '::1', '[::1', '[x]', 'up:', 'up:123456', 'up.'].map(
    (upstream) => [build({ data: { upstream } }), 'invalid_dimension', `${host} ${JSON.stringify(upstream)}`] as const,
  ),
  ...['user', 'client'].flatMap((member) =>
    ['\u061c', '\u200e', '\u200f', '\u202a', '\u202e', '\u2066', '\u2069'].map(
      (control) =>
        [
          build({ data: { [member]: `bob${control}gpj` } }),
          'invalid_dimension',
          `data.${member}: expected a text of 1 to ${member === 'user' ? 320 : 255} characters, without control characters and bidirectional controls, got "bob\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}gpj"`,
        ] as const,
    ),
  ),
  [build({ data: { repository: 'Library/alpine' } }), 'invalid_dimension', `${name} "Library/alpine"`],
  [build({ data: { repository: 'a//b' } }), 'invalid_dimension', `${name} "a//b"`],
  [build({ data: { repository: 'a'.repeat(256) } }), 'invalid_dimension', `${name} "${'a'.repeat(80)}…"`],
  [build({ data: { tag: '-v1' } }), 'invalid_dimension', `${tag} "-v1"`],
  [build({ data: { tag: '__other__' } }), 'invalid_dimension', `data.tag: ${folded}`],
  [build({ data: { user: '__other__' } }), 'invalid_dimension', `data.user: ${folded}`],
  [build({ data: { outcome: 'Not Good' } }), 'invalid_dimension', `${outcome} "Not Good"`],
  [build({ data: { outcome: 'x'.repeat(33) } }), 'invalid_dimension', `${outcome} "${'x'.repeat(33)}"`],
  [
    build({ data: { user: 'a\nb' } }),
    'invalid_dimension',
    String.raw`data.user: expected a text of 1 to 320 characters, without control characters and bidirectional controls, got "a\nb"`,
  ],
  [
    build({ data: { client: '' } }),
    'invalid_dimension',
    'data.client: expected a text of 1 to 255 characters, without control characters and bidirectional controls, got ""',
  ],
  [
    build({ data: { client: {} } }),
    'invalid_dimension',
    'data.client: expected a text of 1 to 255 characters, without control characters and bidirectional controls, got an object',
  ],
];

const types = 'type: expected tonnage.void or an event type of a meter (see /api/v1/meters), ';

test.each(malformed)('%j is refused: %s', (event, reason, message) => {
  const value: unknown = typeof event === 'string' && event.startsWith('{') ? JSON.parse(event) : event;
  expect(refusalOf(value)).toBe(`${reason}: ${reason === 'unknown_type' ? types : ''}${message}`);
});

const inBase64 = (text: string): string => Buffer.from(text).toString('base64');
const notJson = 'data_base64: expected base64 of JSON in UTF-8; use data for plain JSON';
const tooMany = 'data_base64: expected at most 100 objects, lists and members each, got more';
test.each([
  ['no JSON', 'A'.repeat(8_000_000), notJson],
  ['lists in each other', inBase64('['.repeat(5_900_000)), tooMany],
  ['empty objects', inBase64(`[${'{},'.repeat(1_900_000)}1]`), tooMany],
  ['one object too many', inBase64(`{"org":[${'{}'.repeat(100)}]}`), tooMany],
  ['one member too many', inBase64(`{${'"org":1,'.repeat(101)}}`), tooMany],
])('data_base64 with too many %s is refused without parsing', (_what, text, message) => {
  expect(refusalOf(build({ data_base64: text }))).toBe(`invalid_event: ${message}`);
});

const bound: Sender = { tenant: 'a.org', admin: false };
test.each([
  [{ org: 'b.org' }, 'data.org: expected "a.org", the organisation of these credentials, got "b.org"'],
  [{ email: 'x@B.org' }, 'data.email: expected "a.org", the organisation of these credentials, got "b.org"'],
  [
    { org: 'b.org', email: 'x@b.org' },
    'data.org: expected "a.org", the organisation of these credentials, got "b.org"',
  ],
])('%j by bound credentials is refused', (data, message) => {
  expect(refusalOf(build({ data }), bound)).toBe(`not_your_organisation: ${message}`);
});
