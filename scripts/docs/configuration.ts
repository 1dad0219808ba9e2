import { configSchema, ConfigError, listenForm, readConfig } from '../../src/config/index.ts';
import { upstreamNameForm } from '../../src/config/names.ts';
import { serverForm } from '../../src/config/redis.ts';
import { durationForm, sizeForm } from '../../src/config/units.ts';

type Schema = typeof configSchema;

/** One key: the step of names of the user's choice is `NAME`, that of the items of a list `ITEM`. */
interface Key {
  readonly path: readonly string[];
  readonly schema: Schema;
  readonly required: boolean;
}

/** Forms that many keys take, by what the table calls them. */
const forms: readonly (readonly [name: string, form: string])[] = [
  ['an address', listenForm],
  ['a duration', durationForm],
  ['a size', sizeForm],
  ['a server', serverForm],
  ['an upstream name', upstreamNameForm],
];

/**
 * All configuration keys as a table: what each takes, in the words of its error message; its default; its meaning.
 * Before the table it says what the forms are that many keys take.
 */
export function configurationTable(): string {
  const keys = [...keysOf(configSchema, [])];
  return [
    ...forms.map(([name, form]) => `- *${name}*: ${form}`),
    '',
    '| key | takes | default | meaning |',
    '|---|---|---|---|',
    ...keys.map(row),
  ].join('\n');
}

function* keysOf(schema: Schema, path: readonly string[]): Generator<Key> {
  for (const form of [schema, ...(schema.anyOf ?? [])]) {
    if (typeof form === 'boolean') continue;
    for (const [name, value] of Object.entries(form.properties ?? {})) {
      if (typeof value === 'boolean') continue;
      yield { path: [...path, name], schema: value, required: form.required?.includes(name) === true };
      yield* keysOf(value, [...path, name]);
    }
    const named = form.additionalProperties;
    if (typeof named === 'object') yield* keysOf(named, [...path, 'NAME']);
    if (isMap(form.items)) yield* keysOf(form.items, [...path, 'ITEM']);
  }
}

function isMap(items: Schema['items']): items is Schema {
  return typeof items === 'object' && 'properties' in items;
}

function row({ path, schema, required }: Key): string {
  // What no value can say stands at the end of the description.
  const [, meaning = '', said] = /^(.*?)(?: Default: (.*)\.)?$/.exec(schema.description ?? '') ?? [];
  const otherwise = required ? 'required' : written(schema.default);
  const cells = [`\`${path.join('.')}\``, takes(path, schema), said ?? otherwise, meaning];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

/** A default as YAML writes it; of a map its names, since that is all that ours hold. */
function written(value: unknown): string {
  if (value === undefined) return '';
  if (Array.isArray(value)) return `\`[${value.join(', ')}]\``;
  if (typeof value !== 'object' || value === null)
    return `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
  return Object.keys(value)
    .map((name) => `\`${name}\``)
    .join(', ');
}

function takes(path: Key['path'], schema: Schema): string {
  if (schema.type === 'object') return typeof schema.additionalProperties === 'object' ? 'a map by name' : 'a map';
  if (schema.type === 'array' && isMap(schema.items)) return 'a list of maps';
  if (schema.type === 'array') return `a list; each ${expected(path, [wrong])}`;
  const { shorthand, orTrue } = schema;
  if (orTrue === true) return expected(path, [wrong]);
  return typeof shorthand === 'string' ? `a map, or ${expected([...path, shorthand], wrong)}` : expected(path, wrong);
}

/** What no single value is. */
const wrong = {};

/** What a key takes: the first part of what is said about a value there that is none (`expected X, but came Y`). */
function expected(path: Key['path'], value: object): string {
  const steps = path.map((step) => (step === 'NAME' ? 'localhost' : step));
  const problem = problemsOf(
    steps.reduceRight<unknown>((inner, step) => (step === 'ITEM' ? [inner] : { [step]: inner }), value),
  ).find((each) => steps.every((step, index) => (step === 'ITEM' ? 0 : step) === each.path[index]));
  const said = /^expected (.*), but came/.exec(problem?.message ?? '')?.[1];
  if (said === undefined) {
    throw new Error(`a wrong ${path.join('.')} is told as "${problem?.message}", not as "expected X, but came Y"`);
  }
  return forms.reduce((text, [name, form]) => text.replace(form, name), said);
}

function problemsOf(stated: unknown): ConfigError['problems'] {
  try {
    readConfig({
      file: { name: 'stated', text: JSON.stringify(stated), directory: '/' },
      environment: {},
      workingDirectory: '/',
      readSecret: () => '',
    });
  } catch (thrown) {
    if (thrown instanceof ConfigError) return thrown.problems;
    throw thrown;
  }
  return [];
}
