import fc from 'fast-check';
import type { ConfigReader } from '../reader.ts';
import { formatDuration, formatSize } from '../units.ts';

type Schema = ConfigReader['schema'];

const word = fc.stringMatching(/^[a-z]{2,8}$/);
const host = word.map((name) => `${name}.example.org`);
const port = fc.integer({ min: 1, max: 65_535 });
const server = fc.oneof(
  fc.tuple(host, port).map(([name, at]) => `${name}:${at}`),
  port.map((at) => `[::1]:${at}`),
);
const listen = fc.oneof(
  server,
  fc.nat(65_535),
  fc.nat(65_535).map((at) => `127.0.0.1:${at}`),
);
const url = fc.tuple(fc.constantFrom('http', 'https'), host).map(([scheme, name]) => `${scheme}://${name}/`);
const network = fc.tuple(fc.ipV4(), fc.integer({ min: 8, max: 32 })).map(([address, bits]) => `${address}/${bits}`);
const printable = fc.string({ minLength: 16, maxLength: 30 });

/** Valid texts by what a key takes, as its error begins. */
const texts: readonly (readonly [takes: string, values: fc.Arbitrary<unknown>])[] = [
  ['false, HOST:PORT', fc.oneof(fc.constant(false), listen)],
  ['HOST:PORT, [IPV6]:PORT, :PORT or PORT', listen],
  ['HOST:PORT or [IPV6]:PORT', server],
  ['a duration', fc.integer({ min: 1_000, max: 60_000 }).map(formatDuration)],
  ['a size', fc.integer({ min: 2 ** 20, max: 2 ** 40 }).map(formatSize)],
  ['a URL without a path', host.map((name) => `https://${name}`)],
  [
    'a URL such as "redis:',
    fc
      .oneof(
        server,
        server.map((at) => `:p@${at}`),
      )
      .map((at) => `rediss://${at}`),
  ],
  ['a URL such as "postgresql:', host.map((name) => `postgresql://u:p@${name}/db`)],
  ['a URL', url],
  ['the URL of an issuer', url],
  ['false or a URL', fc.oneof(fc.constant(false), url)],
  ['false or an entrypoint', fc.oneof(fc.constant(false), fc.constant('true'), printable)],
  ['true, false or "challenge"', fc.constantFrom(true, false, 'challenge')],
  ['the name of a directory', fc.oneof(printable, fc.constant('/a b/${x}'))],
  ['the name of an upstream', fc.oneof(word, host, fc.constantFrom('docker.io', 'localhost:5001'))],
  ['an IANA time zone', fc.constantFrom('UTC', 'europe/berlin', 'Asia/Tokyo')],
  ['a host', fc.oneof(host, server, fc.constant('10.1.2.3:9000'))],
  ['the name of a host', host],
  [
    '"*", or the first segments',
    fc.oneof(
      fc.constant('*'),
      word,
      fc.tuple(word, word).map((both) => both.join('/')),
    ),
  ],
  ['an organisation', fc.oneof(host, fc.constant('ACME'))],
  ['an e-mail address', fc.tuple(word, host).map((both) => both.join('@'))],
  ['a password hash', fc.stringMatching(/^[0-9a-f]{64}$/).map((digits) => `sha256:${digits}`)],
  ['a network', fc.oneof(network, fc.ipV4(), fc.ipV6())],
  ['a text or a list of texts', fc.oneof(printable, fc.array(printable, { minLength: 1 }))],
  ['an event type', fc.tuple(word, word).map((both) => both.join('.'))],
  ['a unit', fc.constantFrom('1', 's', 'By', 'kW.h')],
  ['one segment of a path', word],
  ['the name of', word],
  ['a user name', word],
  ['a password', printable],
  ['a text', printable],
  ['the value of a label', printable],
];

/** Whether a value is in PEM, or a map that needs one. Certificates and keys need a tool, so other tests have them. */
function needsPem(schema: Schema): boolean {
  if (typeof schema.takes === 'string' && schema.takes.includes('in PEM')) return true;
  const needed = secretsOf(schema).map((key) => schema.properties?.[key]);
  return needed.some((value) => typeof value === 'object' && needsPem(value));
}

/** The secrets that a map needs, and their files. */
function secretsOf({ oneOf, allOf }: Schema): readonly string[] {
  const forms = [...formsOf(oneOf), ...formsOf(allOf).flatMap((each) => formsOf(each.oneOf))];
  return forms.flatMap(({ required = [] }) => required);
}

function valueOf(schema: Schema): fc.Arbitrary<unknown> {
  const { takes, minimum, maximum } = schema;
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema['discriminator'] !== undefined) return fc.oneof(...formsOf(schema.oneOf).map(mapOf));
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  if (schema.type === 'boolean') return fc.boolean();
  if (schema.type === 'integer') return fc.integer({ min: minimum ?? 0, max: Math.min(maximum ?? 0, 50_000_000) });
  if (schema.type === 'object') return mapOf(schema);
  if (typeof takes === 'string') {
    const known = texts.find(([begin]) => takes.startsWith(begin));
    if (known === undefined) throw new Error(`no values for a key that takes ${takes}: add some`);
    return known[1];
  }
  if (typeof schema.items === 'object' && !Array.isArray(schema.items)) {
    return fc.array(valueOf(schema.items), { minLength: schema.minItems ?? 0, maxLength: 3 });
  }
  const forms = formsOf(schema.anyOf);
  // Short forms of a map, other than true, have the values of one of its keys, which the map covers.
  return fc.oneof(...forms.filter((form) => form.type === 'object' || form.const === true).map(valueOf));
}

function formsOf(forms: Schema['anyOf'] = []): readonly Schema[] {
  return forms.filter((form) => typeof form !== 'boolean');
}

function mapOf(schema: Schema): fc.Arbitrary<object> {
  const { properties = {}, required = [], additionalProperties: named, propertyNames } = schema;
  const isFile = (key: string): boolean => key.endsWith('File') && key.slice(0, -'File'.length) in properties;
  const keys = Object.entries(properties).flatMap(([key, value]) =>
    typeof value === 'boolean' || isFile(key) || needsPem(value) ? [] : [[key, valueOf(value)] as const],
  );
  const fixed = fc.record(Object.fromEntries(keys), {
    requiredKeys: [...required, ...secretsOf(schema)].filter((key) => !isFile(key)),
  });
  if (typeof named !== 'object') return fixed;
  const name = typeof propertyNames === 'object' ? valueOf(propertyNames).map(String) : word;
  const others = fc.dictionary(name, valueOf(named), { maxKeys: 3, noNullPrototype: true });
  return fc.tuple(others, fixed).map(([other, own]) => ({ ...other, ...own }));
}

/** Configurations as files state them. Each value is valid by itself, but not all of them may go together. */
export const anyConfig = (schema: Schema): fc.Arbitrary<object> => mapOf(schema);
