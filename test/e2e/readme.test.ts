import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { startDockerUpstream } from '../support/docker-upstream.ts';
import { pushImage } from '../support/images.ts';
import { freePort, runProgram } from '../support/program.ts';
import { skopeoPull } from '../support/skopeo.ts';

/** Runs the example of docs/guides/clients.md that needs no Internet, as written, on free ports and in its own directory. */
const root = fileURLToPath(new URL('../../', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'tonnage-readme-'));

afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** The commands of the marked example: lines after `$ `, each with the lines of its here-document. */
function exampleScript(): string {
  const page = readFileSync(join(root, 'docs/guides/clients.md'), 'utf8');
  const [, block = ''] = /<!-- example: .*?```console\n(.*?)^```$/ms.exec(page) ?? [];
  return block.replaceAll(/^\$ /gm, '');
}

async function writeImage(path: string): Promise<void> {
  const upstream = await startDockerUpstream(directory);
  await pushImage(upstream.url, 'app', 'v1', { architecture: 'amd64', layers: [Buffer.alloc(1024)] });
  await skopeoPull(`${new URL(upstream.url).host}/app:v1`, path);
  await upstream.stop();
}

test('the example without Internet prints the pull that it made, and leaves files in data/ only', async () => {
  const image = join(directory, 'image');
  await writeImage(image);
  const checkout = join(directory, 'checkout');
  mkdirSync(checkout);
  symlinkSync(join(root, 'bin'), join(checkout, 'bin'));
  const ports = [await freePort(), await freePort(), await freePort()];
  let script = exampleScript();
  for (const [index, written] of ['5000', '8081', '2113'].entries()) {
    expect(script).toContain(`127.0.0.1:${written}`);
    script = script.replaceAll(`127.0.0.1:${written}`, `127.0.0.1:${ports[index]}`);
  }
  script = script.replaceAll('/some/image', image);

  const { stdout } = await runProgram('bash', ['-c', `set -eu; cd '${checkout}'\n${script}\nwait`]);

  expect(stdout).toMatch(/^lab +app +amd64 +1\b/m);
  expect(readdirSync(checkout).sort()).toEqual(['bin', 'data']);
});
