import { describe, expect, test } from 'vitest';
import { createModel } from './schema.ts';

const { keys, json: configSchema } = createModel({});

test('the JSON Schema is closed and names its dialect', () => {
  expect(configSchema).toMatchObject({
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    additionalProperties: false,
  });
});

/** The path and schema of every key, found without the code under test. */
function* properties(schema: unknown, path = ''): Generator<[string, unknown]> {
  if (typeof schema !== 'object' || schema === null) return;
  for (const [key, value] of Object.entries(schema)) {
    if (key === 'properties' && typeof value === 'object' && value !== null) {
      for (const [name, child] of Object.entries(value)) {
        yield [`${path}.${name}`, child];
        yield* properties(child, `${path}.${name}`);
      }
    } else yield* properties(value, path);
  }
}

test.each([...properties(configSchema)])('%s has a description', (_path, schema) => {
  expect(schema).toHaveProperty('description', expect.stringMatching(/^.{10,}\.$/));
});

test.each([...properties(configSchema)])('%s states the unit of its number', (_path, schema) => {
  const takes = typeof schema === 'object' && schema !== null && 'takes' in schema ? String(schema.takes) : '';
  if (!/^a (whole number|duration|size)/.test(takes)) return;
  expect(schema).toHaveProperty('unit', expect.stringMatching(/./));
});

describe('keys are read from the schema', () => {
  test('fixed keys, and keys below names that the user chooses', () => {
    const paths = [...keys.every()].map(([path]) => path.join('.'));
    expect(paths).toContain('gateway.defaultUpstream');
    expect(paths).toContain('metrics.orgs');
    expect(paths).toContain('upstreams.NAME.auth.basic.password');
  });

  test('secret keys', () => {
    const secret = [...keys.every()].filter(([, info]) => info.secret).map(([path]) => path.join('.'));
    expect(secret).toEqual([
      'metrics.tls.cert',
      'metrics.tls.key',
      'upstreams.NAME.auth.basic.password',
      'upstreams.NAME.proxy',
      'store.url',
      'store.sentinel.password',
      'store.password',
      'store.tls.ca',
      'store.tls.cert',
      'store.tls.key',
      'usage.hashKey',
      'users.NAME.passwordHash',
    ]);
  });

  test('each secret may also be in a file', () => {
    const secrets = [...keys.every()].filter(([, info]) => info.secret);
    for (const [path] of secrets) {
      expect(keys.at([...path.slice(0, -1), `${path.at(-1)}File`])?.scalars).toEqual(new Set(['string']));
    }
  });

  test('the kinds of value that a key takes', () => {
    expect(keys.at(['metrics'])).toMatchObject({
      shorthand: 'listen',
      scalars: new Set(['false', 'string', 'number']),
    });
    expect(keys.at(['store', 'tls'])).toMatchObject({ orTrue: true, scalars: new Set(['true']) });
    expect(keys.at(['gateway', 'anonymous'])?.scalars).toEqual(new Set(['true', 'false', 'string']));
    expect(keys.at(['identity', 'oidc', 0, 'issuer'])?.scalars).toEqual(new Set(['string']));
    expect(keys.at(['gateway', 'nope'])).toBeUndefined();
  });
});

test('the schema needs each secret of a map in one of its two forms', () => {
  const allOf = [
    { oneOf: [{ required: ['cert'] }, { required: ['certFile'] }] },
    { oneOf: [{ required: ['key'] }, { required: ['keyFile'] }] },
  ];
  expect(configSchema.properties?.['metrics']).toMatchObject({
    anyOf: [{}, {}, {}, { properties: { tls: { type: 'object', allOf } } }],
  });
});

test('the schema has the short form of a map and the long one', () => {
  expect(configSchema.properties?.['store']).toMatchObject({
    properties: {
      tls: {
        anyOf: [
          { type: 'boolean', const: true },
          { type: 'object', additionalProperties: false },
        ],
      },
    },
  });
  expect(configSchema.properties?.['metrics']).toMatchObject({
    anyOf: [{ const: false }, { type: 'string' }, { type: 'integer' }, { type: 'object' }],
  });
});
