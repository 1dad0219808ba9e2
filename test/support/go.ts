import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

/** A Go program, or the reason why this machine cannot build it. */
export type GoProgram =
  { readonly kind: 'built'; readonly path: string } | { readonly kind: 'absent'; readonly why: string };

/** Folders that installers of Go use and that are not in every user's PATH. */
const goFolders = ['/usr/local/go/bin', '/usr/lib/go/bin'];
const downloadMsMax = 120_000;
const buildMsMax = 240_000;

/**
 * Builds the Go program in `folder`, which holds its `go.mod` and `go.sum`, as the file `path`. `npm test`
 * does not install Go: without Go (in the version of go.mod), or without access to the modules, the result is the reason.
 * Throws if the program itself does not build.
 */
export async function buildGoProgram(folder: string, path: string): Promise<GoProgram> {
  const go = findGo();
  if (go === undefined) return { kind: 'absent', why: 'no Go is installed' };
  // Nothing may change the files of the checkout.
  const env = { ...process.env, GOFLAGS: '-mod=readonly -buildvcs=false', GOWORK: 'off' };
  const run = (args: readonly string[], timeout: number) =>
    promisify(execFile)(go, args, { cwd: folder, env, timeout });
  try {
    await run(['mod', 'download'], downloadMsMax);
  } catch (error) {
    const lines = error instanceof Error ? error.message.trim().split('\n') : [];
    return { kind: 'absent', why: `the modules of ${folder} cannot be had: ${lines.at(-1)}` };
  }
  try {
    await run(['build', '-o', path, '.'], buildMsMax);
  } catch (error) {
    // A busy machine is not a failure of the program.
    if (wasKilled(error)) return { kind: 'absent', why: `${folder} was not built within ${buildMsMax / 1_000} s` };
    throw error;
  }
  return { kind: 'built', path };
}

function wasKilled(error: unknown): boolean {
  return error instanceof Error && 'killed' in error && error.killed === true;
}

function findGo(): string | undefined {
  return [...(process.env['PATH'] ?? '').split(delimiter), ...goFolders]
    .map((folder) => join(folder, 'go'))
    .find((file) => existsSync(file));
}
