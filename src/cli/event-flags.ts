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
export const defaultSource = '/cli';

/** The first option that makes an event; `undefined` where there is none. */
export function givenFlag(flags: EventFlags): string | undefined {
  const name = flagNames.find((flag) => flags[flag] !== undefined);
  return name === undefined ? undefined : `--${name}`;
}

/** The event of the options, as JSON. Throws `UsageError` for options that make none. */
export function eventOfFlags({ type, id, source = defaultSource, time, ...flags }: EventFlags): string {
  if (type === undefined) throw new UsageError('event send: expected FILE, or --type and --id of one event');
  if (id === undefined)
    throw new UsageError('event send: expected --id, by which the event is known when it is sent again');
  for (const [name, value] of Object.entries({ type, id, source })) {
    if (value === '') throw new UsageError(`--${name}: expected at least one character, got ''`);
  }
  const data = dataOf(flags);
  return JSON.stringify({ specversion: '1.0', type, source, id, ...(time !== undefined && { time }), data });
}

function dataOf({ org, arch, quantity, member = [] }: EventFlags): Readonly<Record<string, unknown>> {
  const data = new Map<string, unknown>(member.map(memberOf));
  if (org !== undefined) data.set('org', org);
  if (arch !== undefined) data.set('arch', arch);
  if (quantity !== undefined) {
    if (!/^\d{1,16}$/.test(quantity)) throw new UsageError(`--quantity: expected a whole number, got ${quantity}`);
    data.set('quantity', Number(quantity));
  }
  return Object.fromEntries(data);
}

/** `name=value`, a text, or `name:=value`, JSON. */
function memberOf(stated: string): [string, unknown] {
  const match = /^(\w+?)(:?=)(.*)$/su.exec(stated);
  const [, name, sign, value = ''] = match ?? [];
  if (name === undefined) throw new UsageError(`--member: expected NAME=TEXT or NAME:=JSON, got ${stated}`);
  if (sign === '=') return [name, value];
  try {
    const parsed: unknown = JSON.parse(value);
    return [name, parsed];
  } catch (cause) {
    throw new UsageError(`--member: expected JSON behind ${name}:=, got ${value}`, { cause });
  }
}
