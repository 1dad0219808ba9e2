import { z } from 'zod';
import { schema } from './schema.ts';

type JsonSchema = z.core.JSONSchema.JSONSchema;

/** What may be written at one place of the configuration. */
export interface KeyInfo {
  /** Keys of a map with fixed keys. */
  readonly keys: ReadonlyMap<string, KeyInfo>;
  /** What stands behind each name of a map with names of the user's choice. */
  readonly named?: KeyInfo;
  /** What each item of a list of maps is. */
  readonly items?: KeyInfo;
  /** Kinds of single values that are taken here; none where only maps or lists are. */
  readonly scalars: ReadonlySet<'true' | 'false' | 'number' | 'string'>;
  readonly secret: boolean;
  /** A map that may be written as the value of this key of it alone. */
  readonly shorthand?: string;
  /** A map that may be written as `true` where none of its keys is to be set. */
  readonly orTrue: boolean;
}

/**
 * The JSON Schema (2020-12) of a configuration file, for editors: every key with its description and default.
 * It is also what the rest of this folder learns the keys from, so that they are named once.
 */
export const configSchema: JsonSchema = Object.freeze({
  ...z.toJSONSchema(schema, { io: 'input', override: (context) => writeShortForm(context.jsonSchema) }),
  title: 'Tonnage configuration',
});

/** A map with a short form is offered in both. */
function writeShortForm(json: z.core.JSONSchema.BaseSchema): void {
  // What is optional comes here twice, the second time with both forms already written.
  if (json.type !== 'object') return;
  const { shorthand, orTrue, description, ...map } = json;
  const ofKey = typeof shorthand === 'string' ? json.properties?.[shorthand] : undefined;
  const value = orTrue === true ? { type: 'boolean', const: true } : ofKey;
  if (value === undefined) return;
  for (const key of Object.keys(json)) delete json[key];
  const short = typeof value === 'object' && 'anyOf' in value && value.anyOf ? value.anyOf : [value];
  Object.assign(json, { description, ...(orTrue === true ? { orTrue } : { shorthand }), anyOf: [...short, map] });
}

function kindsOf(json: JsonSchema): KeyInfo['scalars'] {
  const kinds = new Set<'true' | 'false' | 'number' | 'string'>();
  if (json.type === 'string') kinds.add('string');
  if (json.type === 'integer' || json.type === 'number') kinds.add('number');
  if (json.type === 'boolean' && json.const !== false) kinds.add('true');
  if (json.type === 'boolean' && json.const !== true) kinds.add('false');
  return kinds;
}

function isMap(json: JsonSchema['items']): json is JsonSchema {
  return typeof json === 'object' && 'properties' in json;
}

function read(json: JsonSchema | boolean): KeyInfo {
  if (typeof json === 'boolean') return { keys: new Map(), scalars: new Set(), secret: false, orTrue: false };
  const forms = [json, ...(json.anyOf ?? []).filter((form) => typeof form !== 'boolean')];
  const properties = forms.flatMap((form) => Object.entries(form.properties ?? {}));
  const named = json.additionalProperties;
  const items = forms.map((form) => form.items).find((item) => isMap(item));
  return {
    keys: new Map(properties.map(([key, value]) => [key, read(value)])),
    ...(typeof named === 'object' && { named: read(named) }),
    ...(items && { items: read(items) }),
    scalars: new Set(forms.flatMap((form) => [...kindsOf(form)])),
    secret: json.writeOnly === true,
    ...(typeof json['shorthand'] === 'string' && { shorthand: json['shorthand'] }),
    orTrue: json['orTrue'] === true,
  };
}

/** The top of the configuration. */
export const rootKey: KeyInfo = read(configSchema);

/** What may be written at a path; `undefined` where nothing may, and for the items of lists that are single values. */
export function keyAt(path: readonly (string | number)[]): KeyInfo | undefined {
  let info: KeyInfo | undefined = rootKey;
  for (const step of path) info = typeof step === 'string' ? (info?.keys.get(step) ?? info?.named) : info?.items;
  return info;
}

/** Every fixed key with its path; for names of the user's choice the step is `NAME`, for the items of a list `ITEM`. */
export function* everyKey(info = rootKey, path: readonly string[] = []): Generator<[readonly string[], KeyInfo]> {
  for (const [key, value] of info.keys) {
    yield [[...path, key], value];
    yield* everyKey(value, [...path, key]);
  }
  if (info.named !== undefined) yield* everyKey(info.named, [...path, 'NAME']);
  if (info.items !== undefined) yield* everyKey(info.items, [...path, 'ITEM']);
}

/**
 * A text from outside YAML (a variable, a replaced `${NAME}`) as the kind of value that its key takes: `true` and
 * `false` become booleans where booleans are taken, digits a number where texts are not.
 */
export function valueOfText(text: string, info: KeyInfo): string | boolean | number {
  if ((text === 'true' || text === 'false') && info.scalars.has(text)) return text === 'true';
  const numeric = !info.scalars.has('string') && info.scalars.has('number') && /^\d{1,15}$/.test(text);
  return numeric ? Number(text) : text;
}
