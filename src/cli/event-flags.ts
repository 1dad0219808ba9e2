import { UsageError } from './contract.ts';

/** The options for a single event. */
export interface EventFlags {
  readonly type?: string;
  readonly id?: string;
  readonly source?: string;
  readonly time?: string;
  readonly org?: string;
  readonly arch?: string;
  readonly quantity?: string;
  readonly member?: readonly string[];
}

const flagNames = ['type', 'id', 'source', 'time', 'org', 'arch', 'quantity', 'member'] as const;

/** The default source of an event from the command line. */
const defaultSource = '/cli';

/** The first given option for a single event; `undefined` if there is none. */
export function givenFlag(flags: EventFlags): string | undefined {
  const name = flagNames.find((flag) => flags[flag] !== undefined);
  return name === undefined ? undefined : `--${name}`;
}

/** Creates the event as JSON. Throws `UsageError` with all problems of the options. */
export function eventOfFlags({ type, id, source = defaultSource, time, ...flags }: EventFlags): string {
  if (type === undefined) throw new UsageError('event send: expected FILE, or --type and --id of one event');
  const wrong: string[] = [];
  if (id === undefined) wrong.push('event send: expected --id, which identifies the event if it is sent again');
  for (const [name, value] of Object.entries({ type, id, source })) {
    if (value === '') wrong.push(`--${name}: expected at least one character, got ''`);
  }
  const data = dataOf(flags, wrong);
  if (wrong.length > 0) throw new UsageError(wrong.join('\n'));
  return JSON.stringify({ specversion: '1.0', type, source, id, ...(time !== undefined && { time }), data });
}

/** The members of `data`. Adds problems to `wrong`. */
function dataOf({ org, arch, quantity, member = [] }: EventFlags, wrong: string[]): Readonly<Record<string, unknown>> {
  const data = new Map<string, unknown>();
  for (const stated of member) {
    const read = memberOf(stated);
    if (typeof read === 'string') wrong.push(read);
    else data.set(read.name, read.value);
  }
  if (org !== undefined) data.set('org', org);
  if (arch !== undefined) data.set('arch', arch);
  if (quantity !== undefined) {
    if (!/^\d{1,16}$/.test(quantity)) wrong.push(`--quantity: expected a whole number, got ${quantity}`);
    data.set('quantity', Number(quantity));
  }
  return Object.fromEntries(data);
}

/** Parses `name=text` or `name:=json`. Returns a message if invalid. */
function memberOf(stated: string): { readonly name: string; readonly value: unknown } | string {
  const match = /^(\w+?)(:?=)(.*)$/su.exec(stated);
  const [, name, sign, value = ''] = match ?? [];
  if (name === undefined) return `--member: expected NAME=TEXT or NAME:=JSON, got ${stated}`;
  if (sign === '=') return { name, value };
  try {
    const parsed: unknown = JSON.parse(value);
    return { name, value: parsed };
  } catch {
    return `--member: expected JSON after ${name}:=, got ${value}`;
  }
}

/** Advice if the server refused the event because of the form of an option; otherwise empty. */
export function adviceOn(reason: string, { quantity, member = [] }: EventFlags): string {
  if (quantity !== undefined && reason.endsWith('got "quantity"')) {
    return `; the meter of this type reads another member as its quantity: write --member NAME:=${quantity}`;
  }
  for (const stated of member) {
    const [, name, value] = /^(\w+?)=(-?\d+(?:\.\d+)?|true|false|null)$/u.exec(stated) ?? [];
    if (name !== undefined && reason.includes(`: data.${name}: `)) {
      return `; --member ${stated} is a text: write --member ${name}:=${value} for JSON`;
    }
  }
  return '';
}
