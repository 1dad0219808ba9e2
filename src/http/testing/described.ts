import { Ajv2020 } from 'ajv/dist/2020.js';
import type { App } from '../contract.ts';

type Answer = Awaited<ReturnType<App['inject']>>;
type Responses = Readonly<Record<string, { readonly content?: Readonly<Record<string, unknown>> }>>;

/** An API's description of itself, as far as answers are held against it. */
export interface Description {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly responses: Responses }>>>>;
}

/** Holds answers against the description of the API that gives them. */
export class DescribedAnswers {
  readonly #description: Description;
  readonly #ajv = new Ajv2020({ strict: false, validateFormats: false });
  readonly #paths: readonly { readonly path: string; readonly pattern: RegExp }[];

  constructor(description: Description) {
    this.#description = description;
    this.#ajv.addSchema(description, 'description');
    this.#paths = Object.keys(description.paths).map((path) => {
      const escaped = path.replaceAll('.', String.raw`\.`).replaceAll(/\{\w+\}/g, '[^/]*');
      return { path, pattern: new RegExp(`^${escaped}$`) };
    });
  }

  /**
   * What the description does not say of an answer; `undefined` when the status is there, with its media type, and the body
   * fits its schema. That there is no such path or method is no answer of a route.
   */
  missing({ statusCode, headers, body, raw }: Answer): string | undefined {
    const method = raw.req.method?.toLowerCase() ?? '';
    const target = raw.req.url?.split('?', 1)[0] ?? '';
    const path = this.#paths.find(({ pattern }) => pattern.test(target))?.path;
    const operation = path === undefined ? undefined : this.#description.paths[path]?.[method];
    if (path === undefined || operation === undefined) return undefined;
    const name = `${method} ${path}: ${statusCode}`;
    const described = operation.responses[statusCode];
    if (described === undefined) return name;
    const type = String(headers['content-type'] ?? '').split(';')[0] ?? '';
    if (described.content?.[type] === undefined) {
      // Files have no schema here, and what is empty has none.
      return body === '' || !path.startsWith('/api/') ? undefined : `${name}: ${type}`;
    }
    const place = ['paths', path, method, 'responses', String(statusCode), 'content', type, 'schema'];
    const pointer = place.map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/');
    const value: unknown = type.endsWith('json') ? JSON.parse(body) : body;
    if (this.#ajv.validate({ $ref: `description#/${pointer}` }, value)) return undefined;
    return `${name}: ${this.#ajv.errorsText()}`;
  }
}
