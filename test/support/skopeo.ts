import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runProgram } from './program.ts';

/** Copies an image with Debian's skopeo into a directory: the client's side of a pull. */
export async function skopeoPull(
  reference: string,
  directory: string,
  options: { readonly all?: boolean; readonly arch?: string; readonly args?: readonly string[] } = {},
): Promise<void> {
  await runProgram('skopeo', [
    '--insecure-policy',
    ...(options.arch ? ['--override-arch', options.arch, '--override-os', 'linux'] : []),
    'copy',
    '--src-tls-verify=false',
    ...(options.all ? ['--all', '--preserve-digests'] : []),
    ...(options.args ?? []),
    `docker://${reference}`,
    `dir:${directory}`,
  ]);
}

/** Digests of all files that skopeo has written, by name; a layer's name is the hex of its digest. */
export function pulledFiles(directory: string): ReadonlyMap<string, string> {
  return new Map(
    readdirSync(directory).map((name) => [
      name,
      createHash('sha256')
        .update(readFileSync(join(directory, name)))
        .digest('hex'),
    ]),
  );
}
