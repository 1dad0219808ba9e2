import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runProgram, startProgram } from './program.ts';

/** Debian's buildah pulls into a storage below `directory` that needs no mounts; its first request is `/v2/`. */
export async function buildahPull(reference: string, directory: string, credentials?: string): Promise<void> {
  const storage = ['--root', join(directory, 'root'), '--runroot', join(directory, 'run'), '--storage-driver', 'vfs'];
  const login = credentials === undefined ? [] : ['--creds', credentials];
  const how = ['--policy', 'always', '--tls-verify=false', '--quiet'];
  // An empty file, so that the logins of this machine do not count.
  mkdirSync(directory, { recursive: true });
  const authFile = join(directory, 'auth.json');
  writeFileSync(authFile, '{}');
  await runProgram('buildah', [...storage, 'pull', ...how, ...login, `docker://${reference}`], {
    env: { HOME: directory, REGISTRY_AUTH_FILE: authFile },
  });
}

/**
 * Debian's podman, with a storage below `directory` that needs no mounts. It logs in once, which fails with a wrong password,
 * and sends the stored login with each pull. It runs nothing, so it needs no control groups and no journal.
 */
export async function podmanPull(reference: string, directory: string, credentials?: string): Promise<void> {
  mkdirSync(directory, { recursive: true });
  const authFile = join(directory, 'auth.json');
  writeFileSync(authFile, '{}');
  const storage = ['--root', join(directory, 'root'), '--runroot', join(directory, 'run'), '--storage-driver', 'vfs'];
  // Its locks are files too, instead of memory that all podman processes share.
  const configFile = join(directory, 'containers.conf');
  writeFileSync(configFile, '[engine]\nlock_type = "file"\ncgroup_manager = "cgroupfs"\nevents_logger = "none"\n');
  const podman = (args: readonly string[], input = ''): Promise<unknown> =>
    runProgram('podman', [...storage, '--tmpdir', join(directory, 'tmp'), ...args], {
      input,
      env: { HOME: directory, REGISTRY_AUTH_FILE: authFile, CONTAINERS_CONF: configFile },
    });
  if (credentials !== undefined) {
    const [name = '', ...password] = credentials.split(':');
    const gateway = reference.slice(0, reference.indexOf('/'));
    await podman(['login', '--tls-verify=false', '--username', name, '--password-stdin', gateway], password.join(':'));
  }
  await podman(['pull', '--tls-verify=false', '--quiet', reference]);
}

/** Debian's containerd with its client `ctr`; it never requests `/v2/`, and never fetches the same content twice. */
export interface Containerd {
  pull(reference: string, credentials?: string): Promise<void>;
  stop(): Promise<void>;
}

const unused = ['grpc.v1.cri', 'snapshotter.v1.btrfs', 'snapshotter.v1.zfs', 'snapshotter.v1.devmapper'];

/** Starts one that writes only below `directory`. It unpacks and runs nothing, so it mounts nothing. */
export async function startContainerd(directory: string): Promise<Containerd> {
  mkdirSync(directory, { recursive: true });
  const socket = join(directory, 'containerd.sock');
  const configFile = join(directory, 'containerd.toml');
  writeFileSync(
    configFile,
    `version = 2
root = ${JSON.stringify(join(directory, 'root'))}
state = ${JSON.stringify(join(directory, 'state'))}
disabled_plugins = ${JSON.stringify(unused.map((name) => `io.containerd.${name}`))}
[grpc]
  address = ${JSON.stringify(socket)}
`,
  );
  const program = startProgram('containerd', ['--config', configFile]);
  await program.until(/containerd successfully booted/);
  return {
    async pull(reference, credentials) {
      const login = credentials === undefined ? [] : ['--user', credentials];
      await runProgram('ctr', ['--address', socket, 'content', 'fetch', '--plain-http', ...login, reference]);
    },
    async stop() {
      await program.stop();
    },
  };
}
