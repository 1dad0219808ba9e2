import { z } from 'zod';
import { nodeAt, type Path, type Tree } from './tree.ts';

type JsonSchema = z.core.JSONSchema.JSONSchema;

/** What may be stated at one place of the configuration. */
export interface KeyInfo {
  /** Keys of a map with fixed keys. */
  readonly keys: ReadonlyMap<string, KeyInfo>;
  /** The value under each name of a map with names that the user chooses. */
  readonly named?: KeyInfo;
  /** The items of a list of maps. */
  readonly items?: KeyInfo;
  /** The keys of a map that depend on the value of one of them. `keys` has those of all forms. */
  readonly forms?: { readonly key: string; readonly byValue: ReadonlyMap<string, KeyInfo> };
  /** Kinds of single values; empty if only maps or lists are valid. */
  readonly scalars: ReadonlySet<'true' | 'false' | 'number' | 'string'>;
  /** Whether the value is a secret. */
  readonly secret: boolean;
  /** The map may be written as the value of this one of its keys. */
  readonly shorthand?: string;
  /** The map may be written as `true` if none of its keys needs a value. */
  readonly orTrue: boolean;
}

/**
 * The JSON Schema (2020-12) of a configuration file: each key with its description and default. Editors read it, and
 * the rest of this folder reads the keys from it.
 */
export function jsonSchemaOf(schema: z.ZodType): JsonSchema {
  return Object.freeze({
    ...z.toJSONSchema(schema, { io: 'input', override: ({ jsonSchema }) => finish(jsonSchema) }),
    title: 'Tonnage configuration',
  });
}

/** Adds what zod does not know: the files of secrets, and the short forms of maps. */
function finish(json: z.core.JSONSchema.BaseSchema): void {
  // Frozen values are a matter of the process, not of the file.
  delete json.readOnly;
  if (json.type !== 'object') return;
  addFiles(json);
  writeShortForm(json);
}

/** Each secret may also be in a file. A required secret is required in one of the two forms. */
function addFiles(json: z.core.JSONSchema.BaseSchema): void {
  const properties: JsonSchema['properties'] = {};
  const required: JsonSchema[] = [];
  for (const [key, value] of Object.entries(json.properties ?? {})) {
    properties[key] = value;
    // zod calls this again for each schema around a map, such as a default, so the file may be there already.
    if (typeof value === 'boolean' || value.writeOnly !== true || `${key}File` in (json.properties ?? {})) continue;
    const description = `File that contains ${key}. A relative path is relative to the configuration file.`;
    properties[`${key}File`] = { type: 'string', description, takes: 'the name of a file' };
    if (json.required?.includes(key) !== true) continue;
    json.required = json.required.filter((each) => each !== key);
    required.push({ oneOf: [{ required: [key] }, { required: [`${key}File`] }] });
  }
  if (required.length === 1) Object.assign(json, required[0]);
  else if (required.length > 1) json.allOf = required;
  if (json.properties !== undefined) json.properties = properties;
}

/** A map with a short form is valid in both forms. */
function writeShortForm(json: z.core.JSONSchema.BaseSchema): void {
  const { shorthand, orTrue, description, default: byDefault, ...map } = json;
  const ofKey = typeof shorthand === 'string' ? json.properties?.[shorthand] : undefined;
  const value = orTrue === true ? { type: 'boolean', const: true } : ofKey;
  if (value === undefined) return;
  for (const key of Object.keys(json)) delete json[key];
  const short = typeof value === 'object' && 'anyOf' in value && value.anyOf ? value.anyOf : [value];
  Object.assign(json, {
    description,
    ...(byDefault !== undefined && { default: byDefault }),
    ...(orTrue === true ? { orTrue } : { shorthand }),
    anyOf: [...short, map],
  });
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
  return typeof json === 'object' && ('properties' in json || 'discriminator' in json);
}

/** The forms that a schema offers a choice of. */
function formsOf({ anyOf = [], oneOf = [] }: JsonSchema): readonly JsonSchema[] {
  return [...anyOf, ...oneOf].filter((form) => typeof form !== 'boolean');
}

function formsByValue(json: JsonSchema): KeyInfo['forms'] {
  if (!hasDiscriminator(json)) return undefined;
  const key = json.discriminator.propertyName;
  const byValue = formsOf(json).map((form) => [constantOf(form.properties?.[key]), read(form)] as const);
  return { key, byValue: new Map(byValue) };
}

function hasDiscriminator(json: JsonSchema): json is JsonSchema & { discriminator: { propertyName: string } } {
  return json['discriminator'] !== undefined;
}

function constantOf(json: JsonSchema | boolean | undefined): string {
  return typeof json === 'object' ? String(json.const) : '';
}

function read(json: JsonSchema | boolean): KeyInfo {
  if (typeof json === 'boolean') return { keys: new Map(), scalars: new Set(), secret: false, orTrue: false };
  const forms = [json, ...formsOf(json)];
  const properties = forms.flatMap((form) => Object.entries(form.properties ?? {}));
  const named = json.additionalProperties;
  const items = forms.map((form) => form.items).find((item) => isMap(item));
  const byValue = formsByValue(json);
  return {
    keys: new Map(properties.map(([key, value]) => [key, read(value)])),
    ...(typeof named === 'object' && { named: read(named) }),
    ...(items && { items: read(items) }),
    ...(byValue && { forms: byValue }),
    scalars: new Set(forms.flatMap((form) => [...kindsOf(form)])),
    secret: json.writeOnly === true,
    ...(typeof json['shorthand'] === 'string' && { shorthand: json['shorthand'] }),
    orTrue: json['orTrue'] === true,
  };
}

/** The keys of the configuration, read from its JSON Schema. */
export class ConfigKeys {
  /** The top level of the configuration. */
  readonly root: KeyInfo;

  constructor(schema: JsonSchema) {
    this.root = read(schema);
  }

  /**
   * What may be stated at a path; `undefined` for an unknown key, and for items of lists that are single values. `tree`
   * is what is stated: the keys of some maps depend on it.
   */
  at(path: Path, tree?: Tree): KeyInfo | undefined {
    let info: KeyInfo | undefined = this.root;
    for (const [index, step] of path.entries()) {
      info = stepInto(info, step);
      if (info && tree) info = formOf(info, nodeAt(tree, path.slice(0, index + 1)));
    }
    return info;
  }

  /** Every fixed key with its path. The step for names that the user chooses is `NAME`, for items of a list `ITEM`. */
  every(): Generator<[readonly string[], KeyInfo]> {
    return everyBelow(this.root, []);
  }
}

function stepInto(info: KeyInfo | undefined, step: string | number): KeyInfo | undefined {
  return typeof step === 'string' ? (info?.keys.get(step) ?? info?.named) : info?.items;
}

/** The form that the stated map `node` has, or `info` itself if that is unknown. */
export function formOf(info: KeyInfo, node: Tree | undefined): KeyInfo {
  if (info.forms === undefined || node === undefined) return info;
  const value = nodeAt(node, [info.forms.key]);
  return (value?.kind === 'scalar' ? info.forms.byValue.get(String(value.value)) : undefined) ?? info;
}

function* everyBelow(info: KeyInfo, path: readonly string[]): Generator<[readonly string[], KeyInfo]> {
  for (const [key, value] of info.keys) {
    yield [[...path, key], value];
    yield* everyBelow(value, [...path, key]);
  }
  if (info.named !== undefined) yield* everyBelow(info.named, [...path, 'NAME']);
  if (info.items !== undefined) yield* everyBelow(info.items, [...path, 'ITEM']);
}

/**
 * A text from outside YAML (a variable, a replaced `${NAME}`) as the kind of value that its key takes. `true` and
 * `false` become booleans if booleans are valid; digits become a number if texts are not valid.
 */
export function valueOfText(text: string, info: KeyInfo): string | boolean | number {
  if ((text === 'true' || text === 'false') && info.scalars.has(text)) return text === 'true';
  const numeric = !info.scalars.has('string') && info.scalars.has('number') && /^\d{1,15}$/.test(text);
  return numeric ? Number(text) : text;
}
