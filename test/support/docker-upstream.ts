import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startProgram, type Program } from './program.ts';

/** Debian's `docker-registry` on a loopback port of its own, empty until a test pushes to it. */
export interface DockerUpstream {
  readonly url: string;
  readonly port: number;
  /** Lines of its access log so far, as `METHOD /path status`. */
  requests(): readonly string[];
  /** The file of a blob, for tests that damage it. */
  blobFile(digest: string): string;
  stop(): Promise<void>;
}

/** Where the registry sends its notifications. */
export interface NotificationEndpoint {
  readonly url: string;
  /** Value of the header Authorization. */
  readonly authorization: string;
}

/** The only user that may log in to a registry with `locked`. */
export const registryUser = { username: 'tester', password: 'secret' } as const;

/** bcrypt of the user's password: the only scheme that the registry supports. */
const registryUsers = 'tester:$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a\n';

/**
 * Starts one on `port` (0: any), with its data in `directory`, which a later one may reuse. It notifies `notified` of every
 * action, and retries every half second until that succeeds. `locked`: only `registryUser` may log in.
 */
export async function startDockerUpstream(
  directory: string,
  port = 0,
  notified?: NotificationEndpoint,
  { locked = false }: { readonly locked?: boolean } = {},
): Promise<DockerUpstream> {
  const data = join(directory, 'upstream');
  mkdirSync(data, { recursive: true });
  const configFile = join(directory, 'upstream.yml');
  const usersFile = join(directory, 'upstream.htpasswd');
  if (locked) writeFileSync(usersFile, registryUsers);
  writeFileSync(
    configFile,
    `version: 0.1
log: { level: info, formatter: text }
storage:
  filesystem: { rootdirectory: ${JSON.stringify(data)} }
  cache: {}
http: { addr: "127.0.0.1:${port}" }
${notified === undefined ? '' : notificationsOf(notified)}${
      locked ? `auth: { htpasswd: { realm: test, path: ${JSON.stringify(usersFile)} } }\n` : ''
    }`,
  );
  const program = startProgram('docker-registry', ['serve', configFile]);
  const [, taken] = await program.until(/listening on 127\.0\.0\.1:(\d+)/);
  return {
    url: `http://127.0.0.1:${taken}`,
    port: Number(taken),
    requests: () => accessLog(program),
    blobFile(digest) {
      const [algorithm = '', hex = ''] = digest.split(':');
      return join(data, 'docker/registry/v2/blobs', algorithm, hex.slice(0, 2), hex, 'data');
    },
    async stop() {
      await program.stop('SIGKILL');
    },
  };
}

function notificationsOf({ url, authorization }: NotificationEndpoint): string {
  const headers = `{ Authorization: [${JSON.stringify(authorization)}] }`;
  return `notifications:
  endpoints:
    - { name: tonnage, url: ${JSON.stringify(url)}, headers: ${headers}, timeout: 2s, threshold: 3, backoff: 500ms }
`;
}

/** The access log has the combined format, mixed with the registry's own lines. */
function accessLog(program: Program): readonly string[] {
  return [...program.output().matchAll(/"([A-Z]+ \S+) HTTP\/1\.\d" (\d{3}) /g)].map(
    ([, request, status]) => `${request} ${status}`,
  );
}
