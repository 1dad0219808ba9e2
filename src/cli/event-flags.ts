import { UsageError } from './contract.ts';

/** Options of which one event is made. */
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

/** Where events come from that are written on a command line, unless they say so themselves. */
const defaultSource = '/cli';

/** The first option that makes an event; `undefined` where there is none. */
export function givenFlag(flags: EventFlags): string | undefined {
  const name = flagNames.find((flag) => flags[flag] !== undefined);
  return name === undefined ? undefined : `--${name}`;
}

/** The event of the options, as JSON. Throws `UsageError` for options that make none, which says all that is wrong. */
export function eventOfFlags({ type, id, source = defaultSource, time, ...flags }: EventFlags): string {
  if (type === undefined) throw new UsageError('event send: expected FILE, or --type and --id of one event');
  const wrong: string[] = [];
  if (id === undefined) wrong.push('event send: expected --id, by which the event is known when it is sent again');
  for (const [name, value] of Object.entries({ type, id, source })) {
    if (value === '') wrong.push(`--${name}: expected at least one character, got ''`);
  }
  const data = dataOf(flags, wrong);
  if (wrong.length > 0) throw new UsageError(wrong.join('\n'));
  return JSON.stringify({ specversion: '1.0', type, source, id, ...(time !== undefined && { time }), data });
}

/** The members of `data`; puts what is wrong with them on the list. */
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

/** `name=value`, a text, or `name:=value`, JSON; or what is wrong with it. */
function memberOf(stated: string): { readonly name: string; readonly value: unknown } | string {
  const match = /^(\w+?)(:?=)(.*)$/su.exec(stated);
  const [, name, sign, value = ''] = match ?? [];
  if (name === undefined) return `--member: expected NAME=TEXT or NAME:=JSON, got ${stated}`;
  if (sign === '=') return { name, value };
  try {
    const parsed: unknown = JSON.parse(value);
    return { name, value: parsed };
  } catch {
    return `--member: expected JSON behind ${name}:=, got ${value}`;
  }
}

/** What to write instead, where a server's refusal of the event comes from how an option was written; else nothing. */
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
