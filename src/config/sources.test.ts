import { describe, expect, test } from 'vitest';
import { limits } from '../base/index.ts';
import { createConfigReader } from './reader.ts';
import { createModel } from './schema.ts';
import { exampleDrivers, exampleReader as reader } from './testing/drivers.ts';
import { problemsOf, readText } from './testing/read-text.ts';

const sourcesOf = (text: string) => readText(text, { reader }).sources;
const errorsOf = (text: string) => problemsOf(text, { reader });
const barn = (rest = '') => `{ name: farm, driver: barn, token: t${rest} }`;

describe('the sources of a configuration', () => {
  test('have common keys and those of their driver, with defaults', () => {
    const [first, second] = sourcesOf(`sources:
  - { name: farm, driver: barn, token: moo, keepFor: 1h, labels: { site: a } }
  - { name: f.2, driver: files, files: "*", interval: 5s }`);
    expect(first).toMatchObject({
      name: 'farm',
      driver: 'barn',
      interval: 30_000,
      deadline: 10_000,
      keepFor: 3_600_000,
      labels: { site: 'a' },
      door: 'open',
      wait: 5_000,
      extras: {},
    });
    // The default deadline is not longer than the interval.
    expect(second).toEqual({
      name: 'f.2',
      driver: 'files',
      interval: 5_000,
      deadline: 5_000,
      labels: {},
      files: '*',
    });
    expect(Object.isFrozen(first?.labels)).toBe(true);
  });

  test('are none without the key', () => {
    expect(sourcesOf('')).toEqual([]);
    expect(readText('sources: []').sources).toEqual([]);
  });

  test('may have short forms of maps', () => {
    expect(sourcesOf(`sources: [${barn(', extras: { milk: true }')}]`)[0]).toMatchObject({
      extras: { milk: { litres: 1 } },
    });
  });

  test('may state their driver by a reference', () => {
    const text = 'sources: [{ name: a, driver: "${DRIVER}", tokenFile: token }]';
    const config = readText(text, { reader, secrets: { token: 'hunter2' }, environment: { DRIVER: 'barn' } });
    expect(reader.print(config)).toContain('token: "***"');
  });

  test('get the defaults that depend on other keys from their driver', () => {
    expect(sourcesOf(`sources: [${barn(', deadline: 2s')}]`)[0]).toMatchObject({ wait: 1_000 });
  });

  test('take secrets from files and the environment, by the keys of their driver', () => {
    const text = `sources:
  - { name: a, driver: barn, tokenFile: token, labels: { site: a } }
  - { name: b, driver: barn, token: "\${TOKEN}", labels: { site: b } }
  - { name: c, driver: files, token: token, files: "*" }`;
    const config = readText(text, { reader, secrets: { token: 'hunter2\n' }, environment: { TOKEN: 'hunter3' } });
    const printed = reader.print(config);
    expect(JSON.stringify(config)).not.toContain('hunter');
    expect(printed).not.toContain('hunter');
    expect(printed.match(/token: .*/g)).toEqual(['token: "***"', 'token: "***"', 'token: token']);
  });
});

describe('each problem of sources is one line', () => {
  test.each([
    ['sources: {}', 'c.yaml:1:10: sources: expected a list, but came a map'],
    ['sources: [hunter2]', 'c.yaml:1:11: sources[0]: expected a map of settings, but came a string'],
    ['sources: [{ name: a }]', 'c.yaml:1:11: sources[0].driver: expected "barn" or "files", but it is missing'],
    [
      'sources: [{ name: a, driver: bran, token: hunter2 }]',
      'c.yaml:1:30: sources[0].driver: expected "barn" or "files", but came "bran"; did you mean "barn"?',
    ],
    ['sources: [{ driver: barn, token: t }]', 'c.yaml:1:11: sources[0].name: expected the name of a source'],
    [`sources: [${barn(', interval: 1ms')}]`, 'sources[0].interval: expected a duration such as'],
    // Keys of drivers.
    [
      `sources: [${barn(', files: x')}]`,
      'c.yaml:1:49: sources[0].files: expected driver "files", because only it has this key, but driver is "barn"',
    ],
    [
      'sources: [{ name: a, driver: files, files: x, tokenFile: y }]',
      'sources[0].tokenFile: expected driver "barn", because only it has this key, but driver is "files"',
    ],
    [`sources: [${barn(', dor: open')}]`, 'sources[0].dor: unknown key; did you mean door?'],
    [`sources: [${barn(', door: opne')}]`, 'expected "open" or "closed", but came "opne"; did you mean "open"?'],
    [`sources: [${barn(', colour: x')}]`, 'unknown key; the keys here are name, driver, interval, deadline, keepFor,'],
    ['sources: [{ name: a, driver: barn }]', 'sources[0]: expected token or tokenFile, but both are missing'],
    [
      'sources: [{ name: a, driver: barn, token: [hunter2] }]',
      'c.yaml:1:43: sources[0].token: expected a text, but came something else (not shown, since it is a secret)',
    ],
    [
      'sources: [{ name: a, driver: barn, tokenFile: x }]',
      'sources[0].tokenFile: "x" cannot be read: there is no such',
    ],
    [
      `sources: [${barn(', deadline: 3s, wait: 3s')}]`,
      'sources[0].wait: expected less than the deadline, but came "3s"',
    ],
    // Names and labels.
    ['sources: [{ name: a:b, driver: files, files: x }]', 'sources[0].name: expected the name of a source'],
    ['sources: [{ name: runtime, driver: files, files: x }]', 'not "runtime"), but came "runtime"'],
    [`sources: [{ name: ${'a'.repeat(64)}, driver: files, files: x }]`, '1 to 63 letters, digits, "_", "." and "-"'],
    [
      'sources: [{ name: a, driver: files, files: x }, { name: a, driver: barn, token: t }]',
      'sources[1].name: expected a name that no other source has, but "a" came before',
    ],
    ...['source', 'le', 'quantile', '__site', '1st', 'a-b', 'a.b', 'ä'].map((label) => [
      `sources: [${barn(`, labels: { "${label}": x }`)}]`,
      'expected the name of a label (letters, digits and "_", no digit first;',
    ]),
    [
      `sources: [${barn(', labels: { site: "" }')}]`,
      'sources[0].labels.site: expected the value of a label (a string of 1 to 255 characters), but came ""',
    ],
    [
      `sources: [${barn(', labels: { site: 12 }')}]`,
      'sources[0].labels.site: expected the value of a label (a string of 1 to 255 characters), but came 12',
    ],
    [
      `sources: [${barn(`, labels: { site: ${'x'.repeat(256)} }`)}]`,
      'sources[0].labels.site: expected the value of a label (a string of 1 to 255 characters), but came "xxx',
    ],
    [
      `sources: [${barn(', labels: { colour: red }')}]`,
      'c.yaml:1:59: sources[0].labels.colour: expected a label that the driver does not use, but the family cows of barn has it',
    ],
    [
      `sources: [${barn(', labels: { horn_left: x }')}]`,
      'sources[0].labels.horn_left: expected a label that the driver',
    ],
    // Durations.
    [
      `sources: [${barn(', keepFor: 10s')}]`,
      'sources[0].keepFor: expected at least the "30s" of interval, but came "10s"',
    ],
    [
      `sources: [${barn(', deadline: 40s')}]`,
      'sources[0].deadline: expected at most the "30s" of interval, but came "40s"',
    ],
  ])('%s', (text, expected) => {
    expect(errorsOf(text ?? '')).toEqual([expect.stringContaining(expected ?? '')]);
  });

  test('with too many sources or labels', () => {
    const sources = Array.from({ length: limits.sourcesMax + 1 }, (_, index) => {
      return `{ name: s${index}, driver: barn, token: t, page: p${index} }`;
    });
    expect(errorsOf(`sources: [${sources.join(', ')}]`)).toEqual([
      `c.yaml:1:10: sources: expected at most ${limits.sourcesMax} sources, but came ${limits.sourcesMax + 1}`,
    ]);
    expect(errorsOf(`sources: [${sources.slice(1).join(', ')}]`)).toEqual([]);
    const labels = Array.from({ length: limits.sourceLabelsMax + 1 }, (_, index) => `l${index}: x`).join(', ');
    expect(errorsOf(`sources: [${barn(`, labels: { ${labels} }`)}]`)).toEqual([
      expect.stringContaining(`sources[0].labels: expected at most ${limits.sourceLabelsMax} labels, but came 21`),
    ]);
  });

  test('of a program without drivers', () => {
    expect(problemsOf('sources: [{ name: a, driver: barn }]')).toHaveLength(1);
  });
});

describe('two sources that give the same series', () => {
  const pair = (one: string, other: string): readonly string[] =>
    errorsOf(`sources:
  - { name: a, driver: barn, token: t${one} }
  - { name: b, driver: barn, token: t${other} }`);

  test.each([
    [', labels: { site: a }', ', labels: { site: b }'],
    [', labels: { site: a }', ', labels: { place: a }'],
    [', labels: { site: a }', ', labels: { site: a, place: a }'],
    ['', ', page: b'],
    [', page: a', ', page: b, door: closed'],
  ])('are told apart: %j and %j', (one, other) => {
    expect(pair(one, other)).toEqual([]);
  });

  test.each([
    ['', ''],
    ['', ', labels: { site: b }'],
    [', labels: { site: a, place: b }', ', labels: { place: b, site: a }'],
    [', page: x', ', page: x'],
  ])('are refused: %j and %j', (one, other) => {
    expect(pair(one, other)).toEqual([
      expect.stringMatching(
        /^c\.yaml:3:5: sources\[1\]: expected different labels for "a" and "b", because both give the family cows and 1 more on \/barn\/x?; give each at least one label, such as labels: \{ site: a \}, or "b" a page of its own$/,
      ),
    ]);
  });

  test('on /metrics have no page of their own', () => {
    const files = (name: string) => `{ name: ${name}, driver: files, files: x }`;
    expect(errorsOf(`sources: [${files('a')}, ${files('b')}, ${files('c')}]`)).toEqual([
      'c.yaml:1:49: sources[1]: expected different labels for "a" and "b", because both give the family files on /metrics; give each at least one label, such as labels: { site: a }',
      expect.stringContaining('sources[2]: expected different labels for "a" and "c"'),
    ]);
  });

  test('on one page must agree about the page', () => {
    expect(pair(', labels: { site: a }', ', labels: { site: b }, door: closed')).toEqual([
      'c.yaml:3:67: sources[1].door: expected "open", because "a" has it on the same page (/barn/), but came "closed"',
    ]);
  });
});

describe('the keys of sources', () => {
  const { keys } = createModel(exampleDrivers);

  test('are in the JSON Schema, as a choice by driver', () => {
    expect(reader.schema.properties?.['sources']).toMatchObject({
      type: 'array',
      items: {
        discriminator: { propertyName: 'driver' },
        oneOf: [
          {
            properties: { driver: { const: 'barn' }, interval: { default: '30s' }, tokenFile: {}, name: {} },
            oneOf: [{ required: ['token'] }, { required: ['tokenFile'] }],
          },
          { properties: { driver: { const: 'files' }, interval: { default: '5m' } }, additionalProperties: false },
        ],
      },
    });
  });

  test('depend on the driver that a source states', () => {
    const every = [...keys.every()].map(([path]) => path.join('.'));
    expect(every).toContain('sources.ITEM.files');
    expect(every).toContain('sources.ITEM.extras.milk.litres');
  });

  test('are those of the reader only', () => {
    expect(createConfigReader({}).schema.properties?.['sources']).not.toHaveProperty('items.oneOf');
  });
});
