import { Ajv2020 } from 'ajv/dist/2020.js';
import type { App } from '../contract.ts';

type Responses = Readonly<Record<string, { readonly content?: Readonly<Record<string, unknown>> }>>;

/** A response to check against the description. */
export interface DescribedAnswer {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** Converts the result of `app.inject`. */
export function injectedAnswer(answer: Awaited<ReturnType<App['inject']>>): DescribedAnswer {
  return {
    method: answer.raw.req.method ?? '',
    target: answer.raw.req.url ?? '',
    status: answer.statusCode,
    contentType: String(answer.headers['content-type'] ?? ''),
    body: answer.body,
  };
}

/** The parts of an OpenAPI description that `DescribedAnswers` needs. */
export interface Description {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly responses: Responses }>>>>;
}

/** Checks responses against an OpenAPI description. */
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
   * Returns the mismatch of a response; `undefined` if the description has its status and media type, and the body
   * matches the schema. Responses to unknown paths and methods are not checked.
   */
  missing({ method: asked, target, status, contentType, body }: DescribedAnswer): string | undefined {
    const method = asked.toLowerCase();
    const [wanted = ''] = target.split('?', 1);
    const matching = this.#paths.filter(({ pattern }) => pattern.test(wanted));
    // A path without parameters takes precedence (OpenAPI 3.1, "Path Templating Matching").
    const path = (matching.find((each) => each.path === wanted) ?? matching[0])?.path;
    const operation = path === undefined ? undefined : this.#description.paths[path]?.[method];
    if (path === undefined || operation === undefined) return undefined;
    const name = `${method} ${path}: ${status}`;
    const described = operation.responses[status];
    if (described === undefined) return name;
    const [type = ''] = contentType.split(';', 1);
    if (described.content?.[type] === undefined) {
      // Static files and empty bodies have no schema.
      return body === '' || !path.startsWith('/api/') ? undefined : `${name}: ${type}`;
    }
    const place = ['paths', path, method, 'responses', String(status), 'content', type, 'schema'];
    const pointer = place.map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/');
    const value: unknown = type.endsWith('json') ? JSON.parse(body) : body;
    if (this.#ajv.validate({ $ref: `description#/${pointer}` }, value)) return undefined;
    return `${name}: ${this.#ajv.errorsText()}`;
  }
}
