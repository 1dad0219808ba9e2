import type { FastifySchemaCompiler } from 'fastify';
import { validatorCompiler } from 'fastify-type-provider-zod';
import type { z } from 'zod';
import type { Principal } from '../../identity/index.ts';
import type { HeaderLines, Sender } from '../../ingest/index.ts';

/** Validates the query only. The body's schema is documentation: each event is parsed by itself. */
export const queryOnly: FastifySchemaCompiler<z.ZodType> = (route) =>
  route.httpPart === 'body' ? (value: unknown) => ({ value }) : validatorCompiler(route);

/** Returns header lines by lower-case name. Node joins repeated headers, which would be ambiguous if a value has commas. */
export function headerLinesOf(rawHeaders: readonly string[]): HeaderLines {
  const lines = new Map<string, string[]>();
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]?.toLowerCase() ?? '';
    const value = rawHeaders[index + 1] ?? '';
    const others = lines.get(name);
    if (others === undefined) lines.set(name, [value]);
    else others.push(value);
  }
  return Object.fromEntries(lines);
}

/** Returns the properties of a principal that event parsing needs. */
export function senderOf({ org, rights }: Principal): Sender {
  return { ...(org !== undefined && { tenant: org }), admin: rights.has('admin') };
}

/** Returns the key of the principal's share of the memory for bodies. */
export function shareOf({ subject, org }: Principal): string {
  return `${org ?? ''} ${subject}`;
}
