/** The check `layers` of `npm test`: prints each import that breaks a layer rule, with the rule's reason. */
import rules from '../.dependency-cruiser.mjs';
import { cruise } from './layers/cruise.ts';
import { root } from './test/tools.ts';

const reasons = new Map(rules.forbidden?.map(({ name, comment }) => [name, comment]));
const { violations } = (await cruise(root)).summary;
for (const { from, to, rule } of violations) {
  process.stdout.write(`${from} -> ${to}: ${rule.name}, ${reasons.get(rule.name)}\n`);
}
process.exitCode = violations.length === 0 ? 0 : 1;
