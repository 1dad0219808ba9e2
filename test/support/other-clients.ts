import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runProgram, startProgram } from './program.ts';

/** Debian's buildah pulls into a storage below `directory` that needs no mounts; it asks at `/v2/` before anything else. */
export async function buildahPull(reference: string, directory: string, credentials?: string): Promise<void> {
  const storage = ['--root', join(directory, 'root'), '--runroot', join(directory, 'run'), '--storage-driver', 'vfs'];
  const login = credentials === undefined ? [] : ['--creds', credentials];
  const how = ['--policy', 'always', '--tls-verify=false', '--quiet'];
  // Nobody is logged in, whatever this machine knows of logins.
  mkdirSync(directory, { recursive: true });
  const authFile = join(directory, 'auth.json');
  writeFileSync(authFile, '{}');
  await runProgram('buildah', [...storage, 'pull', ...how, ...login, `docker://${reference}`], {
    env: { HOME: directory, REGISTRY_AUTH_FILE: authFile },
  });
}

/** Debian's containerd with its client `ctr`; it never asks at `/v2/`. What it has once it does not fetch again. */
export interface Containerd {
  pull(reference: string, credentials?: string): Promise<void>;
  stop(): Promise<void>;
}

const unused = ['grpc.v1.cri', 'snapshotter.v1.btrfs', 'snapshotter.v1.zfs', 'snapshotter.v1.devmapper'];

/** Starts one with all that it writes below `directory`. Nothing is unpacked or run, so that it mounts nothing. */
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
