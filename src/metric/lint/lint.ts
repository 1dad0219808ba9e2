import type { MetricFamily } from '../family.ts';
import type { LintRule } from './rule.ts';
import * as rules from './rules.ts';

/** Rules by name. */
export const lintRules: Readonly<Record<string, LintRule>> = rules;

/** One breach of a naming rule. */
export interface LintFinding<Family extends MetricFamily = MetricFamily> {
  readonly family: Family;
  /** The rule's name, such as `helpMissing`. */
  readonly rule: string;
  /** What is wrong, without the family's name. */
  readonly message: string;
}

/**
 * What is badly named in these families, though a reader takes it: the advice of the Prometheus documentation on metric
 * and label names. Reads the labels of all points. Answers nothing for families that are well named.
 */
export function lint<Family extends MetricFamily>(families: Iterable<Family>): LintFinding<Family>[] {
  const findings: LintFinding<Family>[] = [];
  for (const family of families) {
    const subject = { family, labelNames: labelNamesOf(family) };
    for (const [rule, check] of Object.entries(lintRules)) {
      for (const message of check(subject)) findings.push({ family, rule, message });
    }
  }
  return findings;
}

/** All label names of a family. Points mostly share one list of names, which is looked at once. */
function labelNamesOf(family: MetricFamily): readonly string[] {
  const lists = new Set<readonly string[]>();
  for (const point of family.points) {
    lists.add(point.labels.names);
    if ('info' in point) lists.add(point.info.names);
  }
  return [...new Set([...lists].flat())];
}
