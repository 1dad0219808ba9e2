import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from '../../scripts/test/tools.ts';
import { withTree } from '../support/tree.ts';

/** A server in small: says that it is ready, and on a signal which one it got before it exits with 7. */
const server = `
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) {
  process.on(signal, () => {
    process.stdout.write(signal);
    process.exit(7);
  });
}
process.stdout.write('ready ');
setInterval(() => {}, 1000);
`;

/** Runs a script through the launcher; `act` is called once it has printed something. */
async function launch(script: string, args: readonly string[], act?: (kill: (signal: NodeJS.Signals) => void) => void) {
  return withTree({ 'script.mjs': script }, async (folder) => {
    const launcher = join(root, 'scripts', 'pinned.mjs');
    const child = spawn(process.execPath, [launcher, join(folder, 'script.mjs'), ...args]);
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      if (output === '') act?.((signal) => child.kill(signal));
      output += chunk.toString();
    });
    const [code] = await once(child, 'close');
    return { code, output };
  });
}

describe('the launcher of the pinned Node.js', () => {
  it.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('passes %s on and waits for the exit code', async (signal) => {
    expect(await launch(server, [], (kill) => kill(signal))).toEqual({ code: 7, output: `ready ${signal}` });
  });

  it('exits as a shell would after a fatal signal', async () => {
    const killed = "process.kill(process.pid, 'SIGKILL'); setInterval(() => {}, 1000);";
    expect(await launch(killed, [])).toEqual({ code: 137, output: '' });
  });

  it('passes arguments and the exit code on, and puts the pinned Node.js first in PATH', async () => {
    const script = `
      import { execFileSync } from 'node:child_process';
      process.stdout.write(JSON.stringify(process.argv.slice(2)));
      const version = execFileSync('node', ['-p', 'process.version'], { encoding: 'utf8' });
      process.exit(version.trim() === process.version ? 3 : 4);`;
    expect(await launch(script, ['--port', '9000', 'a b'])).toEqual({ code: 3, output: '["--port","9000","a b"]' });
  });
});
