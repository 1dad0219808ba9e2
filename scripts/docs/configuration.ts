import { configReader } from '../../src/app.ts';
import {
  createConfigReader,
  durationForm,
  listenForm,
  oneOf,
  sourceDriver,
  type ConfigReader,
} from '../../src/config/index.ts';
import { upstreamNameForm } from '../../src/config/names.ts';
import { serverForm } from '../../src/config/redis.ts';
import { sizeForm } from '../../src/config/units.ts';

type Schema = ConfigReader['schema'];

/** One key. The step for names that the user chooses is `NAME`, for the items of a list `ITEM`. */
interface Key {
  readonly path: readonly string[];
  readonly schema: Schema;
  readonly required: boolean;
}

/** Values that many keys take, with the name that the table uses for them. */
const forms: readonly (readonly [name: string, form: string])[] = [
  ['an address', listenForm],
  ['a duration', durationForm],
  ['a size', sizeForm],
  ['a server', serverForm],
  ['an upstream name', upstreamNameForm],
];

/** All configuration keys as a table: what each takes (in the words of its error), its default and its meaning. */
export function configurationTable(): string {
  return [
    ...forms.map(([name, form]) => `- *${name}*: ${form}`),
    '',
    '| key | takes | default | meaning |',
    '|---|---|---|---|',
    ...[...keysOf(configReader.schema, [])].map(row),
  ].join('\n');
}

function* keysOf(schema: Schema, path: readonly string[]): Generator<Key> {
  if (schema['discriminator'] !== undefined) {
    yield* keysByDriver(formsOf(schema).slice(1), path);
    return;
  }
  for (const form of formsOf(schema)) {
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

/** The keys of sources: those that every source has, and then those of each driver. */
function* keysByDriver(forms: readonly Schema[], path: readonly string[]): Generator<Key> {
  const [first = {}] = forms;
  for (const key of keysOf({ properties: first.properties ?? {}, required: first.required ?? [] }, path)) {
    if (isCommon(key)) yield { ...key, schema: { ...key.schema, ...differing(key, forms) } };
  }
  for (const form of forms) {
    const own = [...keysOf({ properties: form.properties ?? {}, required: form.required ?? [] }, path)];
    for (const key of own.filter((each) => !isCommon(each))) {
      yield { ...key, schema: { ...key.schema, description: `${driverOf(form)}: ${key.schema.description ?? ''}` } };
    }
  }
}

/** What a common key has that differs by driver. */
function differing({ path }: Key, forms: readonly Schema[]): Partial<Schema> {
  if (path.at(-1) === 'driver') return { enum: forms.map(driverOf) };
  if (path.at(-1) !== 'interval') return {};
  const intervals = forms.map((form) => ({ driver: driverOf(form), interval: form.properties?.['interval'] }));
  const defaults = intervals.map(({ driver, interval }) => {
    return typeof interval === 'object' ? `\`${String(interval.default)}\` (${driver})` : '';
  });
  const [{ interval } = {}] = intervals;
  const description = typeof interval === 'object' ? interval.description : '';
  return { description: `${description ?? ''} Default: ${defaults.join(', ')}.` };
}

const withoutKeys = createConfigReader({ none: sourceDriver({ keys: {}, interval: '1s', families: () => [] }) });
const sourcesKey = withoutKeys.schema.properties?.['sources'];
const commonNames = new Set(
  [sourcesKey]
    .flatMap((key) => (typeof key === 'object' && isMap(key.items) ? formsOf(key.items).slice(1) : []))
    .flatMap((form) => Object.keys(form.properties ?? {})),
);

function isCommon({ path }: Key): boolean {
  return commonNames.has(path[path.indexOf('ITEM') + 1] ?? '');
}

function driverOf(form: Schema): string {
  const driver = form.properties?.['driver'];
  return typeof driver === 'object' ? String(driver.const) : '';
}

/** The schema itself, and the forms that it offers a choice of. */
function formsOf(schema: Schema): readonly Schema[] {
  return [schema, ...[...(schema.anyOf ?? []), ...(schema.oneOf ?? [])].filter((form) => typeof form !== 'boolean')];
}

function isMap(items: Schema['items']): items is Schema {
  return typeof items === 'object' && ('properties' in items || 'discriminator' in items);
}

function row({ path, schema, required }: Key): string {
  // A default that is not a value is at the end of the description.
  const [, meaning = '', said] = /^(.*?)(?: Default: (.*)\.)?$/.exec(schema.description ?? '') ?? [];
  const otherwise = required ? 'required' : written(schema);
  const secret = schema.writeOnly === true ? ' (secret)' : '';
  const cells = [`\`${path.join('.')}\``, takes(schema) + secret, said ?? otherwise, meaning];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

/** A default as YAML writes it, a number with its unit. Of a map only the names, because its values are all `{}`. */
function written({ default: value, unit }: Schema): string {
  if (value === undefined) return '';
  if (Array.isArray(value)) return `\`[${value.join(', ')}]\``;
  if (typeof value === 'number' && typeof unit === 'string') return `\`${value}\` (${unit})`;
  if (typeof value !== 'object' || value === null)
    return `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
  return Object.keys(value)
    .map((name) => `\`${name}\``)
    .join(', ');
}

/** What a key takes, in the words of its error. */
function takes(schema: Schema): string {
  if (typeof schema.takes === 'string') {
    return forms.reduce((text, [name, form]) => text.replace(form, name), schema.takes);
  }
  if (schema.enum !== undefined) return oneOf(schema.enum);
  if (schema.type === 'boolean') return schema.const === true ? 'true' : 'true or false';
  if (schema.type === 'object') return typeof schema.additionalProperties === 'object' ? 'a map by name' : 'a map';
  if (isMap(schema.items)) return 'a list of maps';
  if (typeof schema.items === 'object' && !Array.isArray(schema.items)) return `a list; each ${takes(schema.items)}`;
  const { shorthand } = schema;
  const short = formsOf(schema).map(({ properties }) => properties?.[typeof shorthand === 'string' ? shorthand : '']);
  const [ofKey] = short.filter((value) => typeof value === 'object');
  return ofKey === undefined ? formsOf(schema).slice(1).map(takes).join(' or ') : `a map, or ${takes(ofKey)}`;
}
