import { z } from 'zod';
import { Secret, secretMask } from './secret.ts';
import { durationForm, formatDuration, formatSize, parseDuration, parseSize, sizeForm } from './units.ts';

/** What the declaration of a key says besides its type. JSON Schema, errors, docs and this folder read it there. */
declare module 'zod' {
  interface GlobalMeta {
    /** What the key takes, as its error says it (`expected ...`). */
    takes?: string;
    /** Unit of the number that the process reads. */
    unit?: string;
    /** The value is a secret, which may also be in a file (the key `...File`). A keyword of JSON Schema. */
    writeOnly?: boolean;
    /** The map may be written as the value of this one of its keys. */
    shorthand?: string;
    /** The map may be written as `true` if none of its keys needs a value. */
    orTrue?: boolean;
    /** The key whose value decides which form a map has. A keyword of OpenAPI. */
    discriminator?: { readonly propertyName: string };
  }
}

/** In milliseconds, as durations are. */
export const hour = 3_600_000;
export const day = 24 * hour;

/** The type of a value that only its codec checks. `undefined` is not one: an absent key stays absent when printed. */
const decoded = <T>() => z.custom<T>((value) => value !== undefined);

/**
 * A key whose value the process reads in another form than the file states. `decode` returns `undefined` for an invalid
 * value; the error says that `takes` was expected. `encode` returns what the file states for the same value.
 */
export function codec<W extends z.ZodType, T>(
  takes: string,
  written: W,
  decode: (stated: z.output<W>) => T | undefined,
  encode: (value: T) => z.output<W>,
) {
  return z
    .codec(written, decoded<T>(), {
      decode: (stated, payload) => {
        const value = decode(stated);
        if (value !== undefined) return value;
        payload.issues.push({ code: 'custom', message: `expected ${takes}`, input: stated });
        return z.NEVER;
      },
      encode,
    })
    .meta({ takes });
}

/** A text that `parse` reads as a value of type `T` and `format` writes. */
export function textOf<T>(takes: string, parse: (text: string) => T | undefined, format: (value: T) => string) {
  return codec(takes, z.string({ error: `expected ${takes}` }), parse, format);
}

/** A text. `parse` returns it in its canonical form, and `undefined` if it is not valid. */
export function text(takes: string, parse: (text: string) => string | undefined) {
  return textOf(takes, parse, (value) => value);
}

/** The text itself if it is not empty, otherwise `undefined`. */
export function parseNonEmpty(stated: string): string | undefined {
  return stated === '' ? undefined : stated;
}

/** Any text that is not empty. */
export const nonEmpty = (takes: string) => text(takes, parseNonEmpty);

/** A text that is printed as a mask only. */
export function secret(takes: string, parse: (text: string) => string | undefined) {
  const read = (stated: string): Secret | undefined => {
    const value = parse(stated);
    return value === undefined ? undefined : new Secret(value);
  };
  return textOf(takes, read, () => secretMask).meta({ writeOnly: true });
}

/** A duration from `least` to `most` milliseconds, which the process reads in `unit`, rounded down. */
export function duration(most: number, least = 0, unit: 'ms' | 's' = 'ms') {
  const atLeast = least === 0 ? '' : `at least ${formatDuration(least)} and `;
  const factor = unit === 'ms' ? 1 : 1_000;
  const parse = (stated: string): number | undefined => {
    const ms = within(parseDuration(stated), least, most);
    return ms === undefined ? undefined : Math.floor(ms / factor);
  };
  const format = (value: number): string => formatDuration(value * factor);
  return textOf(`${durationForm}, ${atLeast}at most ${formatDuration(most)}`, parse, format).meta({ unit });
}

/** A size of `least` bytes or more, in bytes. */
export function size(least = 0) {
  const takes = least === 0 ? sizeForm : `${sizeForm}, at least ${formatSize(least)}`;
  return textOf(takes, (stated) => within(parseSize(stated), least, Infinity), formatSize).meta({ unit: 'bytes' });
}

function within(value: number | undefined, least: number, most: number): number | undefined {
  return value !== undefined && value >= least && value <= most ? value : undefined;
}

/** A whole number from `least` to `most`. */
export function whole(least: number, most: number, unit: string) {
  const takes = `a whole number from ${least} to ${most}`;
  const error = `expected ${takes}`;
  return z.int({ error }).min(least, { error }).max(most, { error }).meta({ takes, unit });
}

/** A map with these keys and no others. `takes`: what the error says if the value is not a map. */
export function map<S extends z.core.$ZodLooseShape>(keys: S, takes = 'a map of settings') {
  return z.strictObject(keys, { error: `expected ${takes}` }).readonly();
}

/** A list. If `item` is stated, the list may not be empty: the error says that at least one ITEM was expected. */
export function list<V extends z.ZodType>(value: V, item?: string) {
  return arrayOf(value, item).readonly();
}

function arrayOf<V extends z.ZodType>(value: V, item: string | undefined) {
  return item === undefined ? z.array(value) : z.array(value).min(1, `expected at least one ${item}`);
}

/** A list of choices. The process reads each once, in the order of `choices`. */
export function choicesOf<const C extends string>(choices: readonly [C, ...C[]], item: string) {
  return arrayOf(z.enum(choices), item)
    .overwrite((stated) => choices.filter((choice) => stated.includes(choice)))
    .readonly();
}

/** A value under a name that the user chose. */
export type Named<T> = T & { readonly name: string };

/** A map with names that the user chooses. The process reads it as a list of values that have their name. */
export function byName<V extends z.ZodType<object>>(name: z.ZodType<string, string>, value: V) {
  return z.codec(z.record(name, value), decoded<readonly Named<z.output<V>>[]>(), {
    decode: (stated) => Object.entries(stated).map(([key, each]) => ({ ...each, name: key })),
    encode: (items) => Object.fromEntries(items.map((item) => [item.name, withoutName(item)])),
  });
}

function withoutName<T extends object>({ name: _name, ...rest }: Named<T>): T {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the compiler cannot subtract a key from a type parameter
  return rest as unknown as T;
}
