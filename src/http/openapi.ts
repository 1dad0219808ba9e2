import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import { problemType } from './problem.ts';

/** Options of the OpenAPI 3.1 description, which covers the API's routes and those of the gateway. */
export function openApiOptions(version: string): FastifyDynamicSwaggerOptions {
  return {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Tonnage',
        version,
        description: 'Usage of container images, by organisation and image. Days are in the time zone of the ledger.',
      },
      components: {
        securitySchemes: { basic: { type: 'http', scheme: 'basic' }, bearer: { type: 'http', scheme: 'bearer' } },
      },
      // The empty entry: public routes, and a loopback listener without users, need no credentials.
      security: [{ basic: [] }, { bearer: [] }, {}],
      paths: { ...gatewayPaths },
    },
    transform: jsonSchemaTransform,
    transformObject: (document) => withProblems(jsonSchemaTransformObject(document)),
  };
}

type Document = ReturnType<typeof jsonSchemaTransformObject>;

/** Sets the media type of problems (RFC 9457, section 3), which differs from that of other responses. */
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
const responses = {
  200: { description: 'As in the specification.' },
  default: { description: 'An error body of the distribution specification.' },
};

function inRepository(summary: string, parameter: string) {
  const last = { name: parameter, in: 'path', required: true, schema: { type: 'string' } } as const;
  return { get: { summary, tags: ['oci'], parameters: [name, last], responses, ...oci } };
}

/** The gateway's routes, which are not Fastify routes. */
const gatewayPaths = {
  '/v2/': { get: { summary: 'Check that this is an OCI registry', tags: ['oci'], responses, ...oci } },
  '/v2/token': { get: { summary: 'Get a token for pulling', tags: ['oci'], responses } },
  '/v2/{name}/manifests/{reference}': inRepository('Get a manifest', 'reference'),
  '/v2/{name}/blobs/{digest}': inRepository('Get a blob', 'digest'),
  '/v2/{name}/referrers/{digest}': inRepository('List the referrers of a manifest', 'digest'),
  '/v2/{name}/tags/list': { get: { summary: 'List tags', tags: ['oci'], parameters: [name], responses, ...oci } },
};
