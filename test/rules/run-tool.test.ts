import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { runTool } from '../../scripts/test/tools.ts';
import { withTree } from '../support/tree.ts';

it('answers the exit code and both outputs of a tool, without the settings of a server', async () => {
  process.env['TONNAGE_PORT'] = '1';
  const script = "console.log(1); console.error('TONNAGE_PORT' in process.env, process.env.MORE); process.exit(3);";
  try {
    await withTree({ 'tool.mjs': script }, async (folder) => {
      const result = await runTool('tool.mjs', [], { cwd: folder, env: { MORE: 'more' } });
      expect(result).toEqual({ code: 3, output: expect.stringMatching(/^1\nfalse more\n$/) });
    });
  } finally {
    delete process.env['TONNAGE_PORT'];
  }
});

it('kills a tool that has done its work and does not end, and calls that a failure', async () => {
  const script = "import { writeFileSync } from 'node:fs'; writeFileSync('report', ''); setInterval(() => {}, 1000);";
  await withTree({ 'tool.mjs': script }, async (folder) => {
    const done = () => existsSync(join(folder, 'report'));
    expect((await runTool('tool.mjs', [], { cwd: folder, done, graceMs: 100 })).code).toBe(1);
  });
});
