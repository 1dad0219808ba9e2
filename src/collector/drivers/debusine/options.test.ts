import { describe, expect, it } from 'vitest';
import { createConfigReader } from '../../../config/index.ts';
import { debusineOptions } from './options.ts';

const reader = createConfigReader({ debusine: debusineOptions });

function read(...sources: readonly object[]) {
  const text = JSON.stringify({ sources });
  return reader.read({
    file: { name: 'c.yaml', text, directory: '/' },
    environment: {},
    workingDirectory: '/',
    readSecret: () => '',
  });
}

const dsn = 'postgresql://u:hunter2@db.example.org/debusine';
const farm = { name: 'farm', driver: 'debusine', dsn };

describe('the configuration of a Debusine source', () => {
  it('needs a DSN only', () => {
    const { sources } = read(farm);
    expect(sources[0]).toMatchObject({
      interval: 30_000,
      deadline: 10_000,
      access: 'public',
      zeroFill: 'bounded',
      labelRules: 'real',
      activityType: 'histogram',
      signonProviders: [],
      statementTimeout: 5_000,
      families: {},
    });
  });

  it('switches families on with true or a map', () => {
    const families = { artifact_file_size: true, collection_sizes: { interval: '1h', timeout: '25s' } };
    expect(read({ ...farm, families }).sources[0]).toMatchObject({
      families: {
        artifact_file_size: { interval: 300_000, timeout: 20_000 },
        collection_sizes: { interval: 3_600_000, timeout: 25_000 },
      },
    });
  });

  it('shortens defaults that would be too long', () => {
    const families = { artifact_file_size: true, tokens_last_seen: { interval: '4s' } };
    expect(read({ ...farm, interval: '10s', deadline: '5s', families }).sources[0]).toMatchObject({
      statementTimeout: 2_500,
      families: { artifact_file_size: { timeout: 5_000 }, tokens_last_seen: { timeout: 2_000 } },
    });
  });

  it.each([
    [{ statementTimeout: '10s' }, 'statementTimeout: expected less than the 10s of the deadline, but came "10s"'],
    [
      { families: { collection_sizes: { timeout: '30s' } } },
      'families.collection_sizes.timeout: expected less than the 30s of the interval of the source, but came "30s"',
    ],
    [
      { families: { collection_sizes: { interval: '10s', timeout: '15s' } } },
      'families.collection_sizes.timeout: expected less than the 10s of the interval of the family, but came "15s"',
    ],
    [{ families: { sizes: true } }, 'families.sizes: unknown key; the keys here are artifact_file_size,'],
    [{ families: { artifact_file_sise: true } }, 'unknown key; did you mean artifact_file_size?'],
    [{ labels: { scope: 'a' } }, 'labels.scope: expected a label that the driver does not use'],
    [{ labels: { architecture_amd64: 'a' } }, 'but the family workers of debusine has it'],
    [{ path: 'a/b' }, 'path: expected one segment of a path'],
  ])('refuses %j', (keys, message) => {
    expect(() => read({ ...farm, ...keys })).toThrow(message);
  });
});

describe('two Debusine sources', () => {
  it('may share a page if labels tell them apart, or have a page each', () => {
    const other = { ...farm, name: 'other' };
    expect(read({ ...farm, labels: { site: 'a' } }, { ...other, labels: { site: 'b' } }).sources).toHaveLength(2);
    expect(read(farm, { ...other, path: 'other' }).sources).toHaveLength(2);
    expect(() => read(farm, other)).toThrow(
      'expected different labels for "farm" and "other", because both give the family artifacts and 15 more on /api/1.0/open-metrics/; ' +
        'give each at least one label, such as labels: { site: a }, or "other" a path of its own',
    );
  });

  it('of one page have the same access', () => {
    const labelled = (name: string, access: string) => ({ ...farm, name, access, path: 'p', labels: { site: name } });
    expect(() => read(labelled('a', 'required'), labelled('b', 'public'))).toThrow(
      'access: expected "required", because "a" has it on the same page (/api/1.0/open-metrics/p/), but came "public"',
    );
  });
});

describe('two sources of one page', () => {
  it.each([
    ['activityType', 'gaugehistogram', 'histogram'],
    ['labelRules', 'document', 'real'],
  ])('have the same %s', (key, first, second) => {
    const labelled = (name: string, value: string) => ({ ...farm, name, [key]: value, labels: { site: name } });
    expect(() => read(labelled('a', first), labelled('b', second))).toThrow(
      `${key}: expected "${first}", because "a" has it on the same page (/api/1.0/open-metrics/), but came "${second}"`,
    );
    expect(() => read(labelled('a', first), { ...labelled('b', second), path: 'b' })).not.toThrow();
  });
});

describe('dsn', () => {
  it.each([
    'postgresql://debusine:secret@db.example.org:5432/debusine',
    'postgres://db.example.org/debusine',
    'postgresql:///debusine?host=/run/postgresql',
    'postgresql://metrics@/debusine?host=/run/postgresql',
    'postgresql://[::1]:5432/debusine?sslmode=verify-full',
    'postgresql://[::1]:5432/debusine?sslmode=no-verify',
    'postgresql://metrics@/debusine?host=/run/postgresql&sslmode=disable',
  ])('is valid, and is not printed: %s', (text) => {
    const config = read({ ...farm, dsn: text });
    const printed = reader.print(config);
    expect(printed).toContain('dsn: "***"');
    for (const shown of [printed, JSON.stringify(config)]) expect(shown).not.toContain(text);
  });

  it.each([
    '',
    'debusine',
    'host=db dbname=debusine',
    'http://db.example.org/hunter2',
    'postgresql://user:hunter#2@db.example.org/debusine',
    'postgresql://user:hunter%@db.example.org/debusine',
    'postgresql://hunter,two/debusine',
    'postgresql://hunter.example.org:99999/debusine',
    'postgresql://hunter example/debusine',
    'postgresql://hunter/debusine?sslmode=require',
    'postgresql://hunter/debusine?sslmode=prefer',
    'postgresql://hunter/debusine?sslmode=verify-full&sslmode=require',
    'postgresql://hunter/debusine?sslmode=',
  ])('is invalid, and its error does not show it: %s', (text) => {
    expect(() => read({ ...farm, dsn: text })).toThrow(
      /^c\.yaml:1:\d+: sources\[0\]\.dsn: expected a URL such as .*, but came something else \(not shown, since it is a secret\)$/,
    );
  });
});

describe('path', () => {
  it.each(['farm', 'build.farm-2', 'a'.repeat(63)])('is valid: %s', (path) => {
    expect(read({ ...farm, path }).sources[0]).toMatchObject({ path });
  });

  it.each(['', '.', '..', 'a/b', 'a b', 'ä', '%2e', 'a'.repeat(64)])('is invalid: "%s"', (path) => {
    expect(() => read({ ...farm, path })).toThrow('path: expected one segment of a path');
  });
});
