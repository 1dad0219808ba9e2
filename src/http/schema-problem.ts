import type { FastifySchemaValidationError } from 'fastify';

/** The findings of a schema in one part of a request. */
interface SchemaProblem {
  readonly validation: readonly FastifySchemaValidationError[];
  readonly validationContext?: string | undefined;
}

/** Formats all findings in one line, in the style of the other errors: which parameter or member, what was expected. */
export function schemaProblemText({ validation, validationContext }: SchemaProblem): string {
  return validation.map((problem) => problemOf(problem, validationContext === 'body')).join('; ');
}

/** JSON types in plain words. */
const kinds: ReadonlyMap<unknown, string> = new Map([
  ['string', 'a string'],
  ['object', 'an object'],
  ['array', 'a list'],
]);

function problemOf({ instancePath, keyword, params, message }: FastifySchemaValidationError, isBody: boolean): string {
  const path = instancePath.replace(/^\//, '').replaceAll('/', '.');
  const name = path === '' ? 'body' : path;
  const { keys, values, format, expected } = params;
  if (keyword === 'unrecognized_keys' && Array.isArray(keys)) {
    return keys.map((key) => `${quoted(String(key))}: there is no such ${isBody ? 'member' : 'parameter'}`).join('; ');
  }
  if (keyword === 'invalid_type' && !isBody) return `${name}: expected it once, got it several times`;
  if (keyword === 'invalid_type') {
    return `${name}: expected ${kinds.get(expected) ?? 'another kind of value'}, got something else`;
  }
  if (keyword === 'invalid_value' && Array.isArray(values)) {
    return `${name}: expected ${values.join(' or ')}, got something else`;
  }
  if (keyword === 'invalid_format' && format === 'datetime') {
    return `${name}: expected an RFC 3339 time with its offset, such as "2026-11-21T12:00:00Z", got something else`;
  }
  return `${name}: ${message ?? 'not valid'}`;
}

/** Quotes a client's string, shortened. */
function quoted(text: string): string {
  return JSON.stringify(text.length <= 80 ? text : `${text.slice(0, 80)}…`);
}
