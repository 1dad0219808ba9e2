import { describe, expect, test } from 'vitest';
import { limits } from '../base/index.ts';
import { contentModeOf, eventsOfBody, Refusal, type HeaderLines } from './index.ts';

const bytes = (text: string) => Buffer.from(text);
const typed = (type: string, more: HeaderLines = {}): HeaderLines => ({ 'content-type': [type], ...more });
const attributes = {
  'ce-specversion': ['1.0'],
  'ce-type': ['tonnage.build'],
  'ce-source': ['/ci'],
  'ce-id': ['1'],
} as const;

describe('the content mode', () => {
  test.each([
    ['application/cloudevents+json', {}, 'structured'],
    ['Application/CloudEvents+JSON; charset=UTF-8', {}, 'structured'],
    ['application/cloudevents+json', attributes, 'structured'],
    ['application/cloudevents-batch+json', {}, 'batch'],
    ['application/json', {}, 'plain'],
    ['application/json; charset="utf-8"', {}, 'plain'],
    ['application/json', attributes, 'binary'],
    ['application/vnd.example+json', attributes, 'binary'],
    ['', attributes, 'binary'],
  ])('of %j is %s', (type, headers, mode) => expect(contentModeOf(typed(type, headers))).toBe(mode));

  test.each([
    ['', {}, 'got nothing'],
    ['application/x-www-form-urlencoded', {}, 'got "application/x-www-form-urlencoded"'],
    ['application/cloudevents+avro', attributes, 'got "application/cloudevents+avro"'],
    ['application/cloudevents-batch+avro', {}, 'got "application/cloudevents-batch+avro"'],
    ['text/xml', attributes, 'got "text/xml"'],
    ['application/vnd.example+json', {}, 'got "application/vnd.example+json"'],
    ['application/json; charset=latin1', {}, 'got "charset=latin1"'],
  ])('of %j is none', (type, headers, got) => {
    expect(() => contentModeOf(typed(type, headers))).toThrow(
      `Content-Type: expected application/cloudevents+json, application/cloudevents-batch+json, application/json, in UTF-8, ${got}`,
    );
  });
});

describe('a body', () => {
  test('holds one event or a list, depending on its type', () => {
    expect(eventsOfBody('structured', {}, bytes('{"id":"1"}'))).toEqual([{ id: '1' }]);
    expect(eventsOfBody('batch', {}, bytes('[{"id":"1"},7]'))).toEqual([{ id: '1' }, 7]);
    expect(eventsOfBody('batch', {}, bytes('[]'))).toEqual([]);
    expect(eventsOfBody('plain', {}, bytes('{}'))).toEqual([{}]);
    expect(eventsOfBody('plain', {}, bytes('[{}]'))).toEqual([{}]);
  });

  test('with a duplicate member has the last value', () => {
    expect(eventsOfBody('plain', {}, bytes('{"id":"1","id":"2"}'))).toEqual([{ id: '2' }]);
  });

  test.each([
    ['structured', '[]', 'bad_request', 'body: expected an event, got a list'],
    ['batch', '{}', 'bad_request', 'body: expected a list of events, got an object'],
    ['plain', '7', 'bad_request', 'body: expected an event or a list of events, got 7'],
    ['plain', 'null', 'bad_request', 'body: expected an event or a list of events, got null'],
    ['plain', '', 'bad_request', /^body: expected JSON: /],
    ['plain', '{"id":NaN}', 'bad_request', /^body: expected JSON: .{1,200}$/],
    ['plain', "{'id':1}", 'bad_request', /^body: expected JSON: .{1,200}$/],
    ['plain', '\ufeff{}', 'bad_request', /^body: expected JSON: /],
    [
      'batch',
      `[${'1,'.repeat(limits.eventBatchMax)}1]`,
      'request_too_large',
      'expected at most 10000 events in one request, got 10001',
    ],
  ] as const)('in %s mode, %j is refused', (mode, text, code, message) => {
    const read = () => eventsOfBody(mode, {}, bytes(text));
    expect(read).toThrow(expect.objectContaining({ code }));
    expect(read).toThrow(message);
  });

  const large = 8 * 2 ** 20;
  test.each([
    ['empty lists', '[],'.repeat(large / 3), 'body: expected at most 100000 objects and lists, got more'],
    ['lists in lists', '['.repeat(large), 'body: expected at most 100000 objects and lists, got more'],
    ['objects in objects', '{"a":'.repeat(large / 5), 'body: expected at most 100000 objects and lists, got more'],
    ['numbers', '1,'.repeat(large / 2), 'body: expected at most 400000 members and items, got more'],
  ])('of %s by the million is refused before it is parsed', (_, text, message) => {
    // None of these is valid JSON: this proves that they are not parsed.
    expect(() => eventsOfBody('plain', {}, bytes(text))).toThrow(message);
  });

  test('with ten thousand long events is accepted', () => {
    const event = { source: '/ci/'.repeat(100), id: '1', data: { org: 'a.org', repository: 'a/b'.repeat(50) } };
    const body = bytes(JSON.stringify(Array.from({ length: limits.eventBatchMax }, () => event)));
    expect(eventsOfBody('batch', {}, body)).toHaveLength(limits.eventBatchMax);
  });

  test('that is not UTF-8 is rejected, because two ids could become equal', () => {
    const body = Buffer.concat([bytes('{"id":"'), Buffer.from([0xff]), bytes('"}')]);
    expect(() => eventsOfBody('plain', {}, body)).toThrow('body: expected JSON in UTF-8, got other bytes');
  });

  test('nested as deeply as allowed is accepted', () => {
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    expect(eventsOfBody('plain', {}, bytes(`{"data":${deep}}`))).toHaveLength(1);
  });
});

describe('binary mode', () => {
  const event = (headers: HeaderLines, body = '') =>
    eventsOfBody('binary', { ...attributes, ...headers }, bytes(body))[0];

  test('has attributes in headers and data in the body', () => {
    expect(event({ 'ce-time': ['2026-11-21T12:00:00Z'], 'user-agent': ['curl'] }, '{"org":"a.org"}')).toEqual({
      specversion: '1.0',
      type: 'tonnage.build',
      source: '/ci',
      id: '1',
      time: '2026-11-21T12:00:00Z',
      data: { org: 'a.org' },
    });
    expect(event({})).not.toHaveProperty('data');
  });

  test.each([
    ['Euro%20%E2%82%AC%20%f0%9f%98%80', 'Euro \u20ac \u{1f600}'],
    ['%61', 'a'],
    ['%2561', '%61'],
    ['"a b"', 'a b'],
    [String.raw`"a\"b\\c"`, String.raw`a"b\c`],
    ['a"b', 'a"b'],
  ])('decodes %s', (value, decoded) => expect(event({ 'ce-id': [value] })).toMatchObject({ id: decoded }));

  test.each([
    [
      { 'ce-id': ['%C0%A0'] },
      '"ce-id": expected printable ASCII with everything else percent-encoded as UTF-8, got "%C0%A0"',
    ],
    [
      { 'ce-id': ['100%'] },
      '"ce-id": expected printable ASCII with everything else percent-encoded as UTF-8, got "100%"',
    ],
    [
      { 'ce-id': ['\u00e4'] },
      '"ce-id": expected printable ASCII with everything else percent-encoded as UTF-8, got "\u00e4"',
    ],
    [{ 'ce-id': ['1', '2'] }, '"ce-id": expected one header, got 2'],
    [
      { 'ce-datacontenttype': ['application/json'] },
      '"ce-datacontenttype": expected the data in the body and its type in Content-Type, got this header',
    ],
    [{ 'ce-data': ['{}'] }, '"ce-data": expected the data in the body and its type in Content-Type, got this header'],
    [
      { 'ce-data_base64': ['e30='] },
      '"ce-data_base64": expected the data in the body and its type in Content-Type, got this header',
    ],
  ])('refuses %j', (headers, message) => expect(event(headers)).toEqual(new Refusal('invalid_event', message)));

  test('treats any header name as a plain member', () => {
    expect(Object.keys(Object(event({ 'ce-__proto__': ['x'] })))).toContain('__proto__');
  });
});
