import { z } from 'zod';
import { Secret } from './secret.ts';
import { durationForm, formatDuration, formatSize, parseDuration, parseSize, sizeForm } from './units.ts';

/** A text that `parse` understands. Messages say what was expected; what came is added where the value's origin is known. */
export function text<T>(form: string, parse: (text: string) => T | undefined) {
  const error = `expected ${form}`;
  return z.string({ error }).transform((stated, context): T => {
    const value = parse(stated);
    if (value !== undefined) return value;
    context.addIssue(error);
    return z.NEVER;
  });
}

export const hour = 3_600_000;

/** A duration in milliseconds, from `least` to `most`: what timers take, and what makes sense. */
export function duration(most: number, least = 0) {
  const above = least === 0 ? '' : `at least ${formatDuration(least)} and `;
  const form = `${durationForm}, ${above}at most ${formatDuration(most)}`;
  return text(form, (stated) => {
    const ms = parseDuration(stated);
    return ms !== undefined && ms >= least && ms <= most ? ms : undefined;
  });
}

/** A size in bytes, at least `least`. */
export function size(least = 0) {
  const form = least === 0 ? sizeForm : `${sizeForm}, at least ${formatSize(least)}`;
  return text(form, (stated) => {
    const bytes = parseSize(stated);
    return bytes !== undefined && bytes >= least ? bytes : undefined;
  });
}

/** A whole number from `least` to `most`. */
export function whole(least: number, most: number) {
  const error = `expected a whole number from ${least} to ${most}`;
  return z.int({ error }).min(least, { error }).max(most, { error });
}

export const nonEmpty = (form: string) => text(form, anyNonEmpty);
export const fileName = nonEmpty('the name of a file');

/** A text that is never shown. `writeOnly` is JSON Schema's word for it, and marks it for the rest of this folder. */
export function secret(form: string, parse: (stated: string) => string | undefined, description: string) {
  return text(form, parse)
    .transform((stated) => new Secret(stated))
    .meta({ description, writeOnly: true });
}

export function anyNonEmpty(stated: string): string | undefined {
  return stated === '' ? undefined : stated;
}

/** For editors: one of the two forms of a secret is needed. (Here it is checked once files have been read.) */
export function either(key: string) {
  return { oneOf: [{ required: [key] }, { required: [`${key}File`] }] };
}
