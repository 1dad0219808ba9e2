/** The check `layers` of `npm test`: prints each import that breaks a layer rule, with the rule's reason. */
import rules from '../.dependency-cruiser.mjs';
import { cruise, type Violation } from './layers/cruise.ts';
import { root } from './test/tools.ts';

const reasons = new Map(rules.forbidden?.map(({ name, comment }) => [name, comment]));
const { violations } = (await cruise(root)).summary;
const lines = new Set(violations.map(describe));
for (const line of lines) process.stdout.write(`${line}\n`);
process.exitCode = violations.length === 0 ? 0 : 1;

/** One line; the same one for every import of a cycle, which is reported once for each. */
function describe({ from, to, rule, cycle }: Violation): string {
  const path = cycle === undefined ? [from, to] : fromFirst(cycle.map(({ name }) => name));
  return `${path.join(' -> ')}: ${rule.name}, ${reasons.get(rule.name)}`;
}

/** A cycle turned so that it starts, and ends, with the file that comes first in the alphabet. */
function fromFirst(cycle: readonly string[]): string[] {
  const start = cycle.indexOf(cycle.toSorted()[0] ?? '');
  const turned = [...cycle.slice(start), ...cycle.slice(0, start)];
  return [...turned, ...turned.slice(0, 1)];
}
