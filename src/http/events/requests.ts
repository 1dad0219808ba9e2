import type { FastifySchemaCompiler } from 'fastify';
import { validatorCompiler } from 'fastify-type-provider-zod';
import type { z } from 'zod';
import type { Principal } from '../../identity/index.ts';
import type { HeaderLines, Sender } from '../../ingest/index.ts';

/** The body is described but not checked by its schema: each event is read on its own, and by hand. */
export const queryOnly: FastifySchemaCompiler<z.ZodType> = (route) =>
  route.httpPart === 'body' ? (value: unknown) => ({ value }) : validatorCompiler(route);

/** Header lines by name, as they came: joined ones could not be told from one that holds a comma. */
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

/** What of somebody's credentials matters to events. */
export function senderOf({ org, rights }: Principal): Sender {
  return { ...(org !== undefined && { tenant: org }), admin: rights.has('admin') };
}

/** Whose share of the memory for bodies a request takes: that of its credentials. */
export function shareOf({ subject, org }: Principal): string {
  return `${org ?? ''} ${subject}`;
}
