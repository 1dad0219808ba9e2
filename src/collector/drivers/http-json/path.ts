import { JSONPathEnvironment, type JSONPathQuery } from 'json-p3';

export const pathForm = 'a JSONPath (RFC 9535) such as "$.queues[*].length"';

const environment = new JSONPathEnvironment();

/** The compiled path. Throws for a text that is no JSONPath. */
export function compilePath(path: string): JSONPathQuery {
  return environment.compile(path);
}

/** The text itself if it is a JSONPath (`pathForm`), otherwise `undefined`. */
export function parsePath(stated: string): string | undefined {
  try {
    compilePath(stated);
    return stated;
  } catch {
    return undefined;
  }
}

/** The text itself if it is a JSONPath that selects at most one node, otherwise `undefined`. */
export function parseSingularPath(stated: string): string | undefined {
  return parsePath(stated) !== undefined && compilePath(stated).singularQuery() ? stated : undefined;
}
