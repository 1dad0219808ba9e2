/** The check `tidy` of `npm test`: prints each breach of the rules in tidy/rules.ts. */
import { readTextFiles } from './tidy/files.ts';
import { findUntidy } from './tidy/rules.ts';
import { root } from './test/tools.ts';

const findings = findUntidy(readTextFiles(root));
for (const { path, line, message } of findings) process.stdout.write(`${path}:${line}: ${message}\n`);
process.exitCode = findings.length === 0 ? 0 : 1;
