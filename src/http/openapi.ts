import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import { problemType } from './problem.ts';

/** How the API describes itself: OpenAPI 3.1 of all routes, those of the gateway included, which stand beside the others. */
export function openApiOptions(version: string): FastifyDynamicSwaggerOptions {
  return {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Tonnage',
        version,
        description: 'Usage of container images: who pulled what. Days are those of the time zone of the ledger.',
      },
      components: {
        securitySchemes: { basic: { type: 'http', scheme: 'basic' }, bearer: { type: 'http', scheme: 'bearer' } },
      },
      // Nothing is asked for on a loopback address where no user is configured, and by what is public.
      security: [{ basic: [] }, { bearer: [] }, {}],
      paths: { ...gatewayPaths },
    },
    transform: jsonSchemaTransform,
    transformObject: (document) => withProblems(jsonSchemaTransformObject(document)),
  };
}

type Document = ReturnType<typeof jsonSchemaTransformObject>;

/** Names the media type of problems, which is not that of the other answers (RFC 9457, section 3). */
function withProblems(document: Document): Document {
  const operations = membersOf(document.paths).flatMap(membersOf);
  for (const response of operations.flatMap(responsesOf)) {
    const { 'application/json': json, ...others } = response.content;
    if (isProblem(json)) response.content = { ...others, [problemType]: json };
  }
  return document;
}

function membersOf(value: unknown): readonly unknown[] {
  return isObject(value) ? Object.values(value) : [];
}

function responsesOf(operation: unknown): readonly { content: Record<string, unknown> }[] {
  return hasMember(operation, 'responses') ? membersOf(operation.responses).filter(hasContent) : [];
}

function hasContent(response: unknown): response is { content: Record<string, unknown> } {
  return hasMember(response, 'content') && isObject(response.content);
}

function isProblem(json: unknown): boolean {
  return hasMember(json, 'schema') && hasMember(json.schema, '$ref') && json.schema.$ref === problemReference;
}

const problemReference = '#/components/schemas/Problem';

function hasMember<Name extends string>(value: unknown, name: Name): value is Record<Name, unknown> {
  return isObject(value) && name in value;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

const oci = { externalDocs: { url: 'https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md' } };
const name = { name: 'name', in: 'path', required: true, schema: { type: 'string' } } as const;
const answered = { 200: { description: 'As in the specification.' }, default: { description: 'An error of OCI.' } };

function inRepository(summary: string, parameter: string) {
  const last = { name: parameter, in: 'path', required: true, schema: { type: 'string' } } as const;
  return { get: { summary, tags: ['oci'], parameters: [name, last], responses: answered, ...oci } };
}

/** What answers outside of this API, for whoever reads its description. */
const gatewayPaths = {
  '/v2/': { get: { summary: 'Whether this is an OCI registry', tags: ['oci'], responses: answered, ...oci } },
  '/v2/token': { get: { summary: 'A token for pulling', tags: ['oci'], responses: answered } },
  '/v2/{name}/manifests/{reference}': inRepository('A manifest', 'reference'),
  '/v2/{name}/blobs/{digest}': inRepository('A blob', 'digest'),
  '/v2/{name}/referrers/{digest}': inRepository('What refers to a manifest', 'digest'),
  '/v2/{name}/tags/list': {
    get: { summary: 'Tags', tags: ['oci'], parameters: [name], responses: answered, ...oci },
  },
};
