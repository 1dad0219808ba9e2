import type { MetricFamily } from '../family.ts';
import type { LintRule } from './rule.ts';
import * as rules from './rules.ts';

/** Rules by name. */
const lintRules: Readonly<Record<string, LintRule>> = rules;

/** One violation of a naming rule. */
interface LintFinding<Family extends MetricFamily = MetricFamily> {
  readonly family: Family;
  /** The rule's name, such as `helpMissing`. */
  readonly rule: string;
  /** The problem, without the family's name. */
  readonly message: string;
}

/**
 * Checks valid families against the naming advice of the Prometheus documentation ("Metric and label naming"). Reads
 * the labels of all points. Returns an empty list if there are no violations.
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

/** All label names of a family. Most points share one array of names, which is read once. */
function labelNamesOf(family: MetricFamily): readonly string[] {
  const lists = new Set<readonly string[]>();
  for (const point of family.points) {
    lists.add(point.labels.names);
    if ('info' in point) lists.add(point.info.names);
  }
  return [...new Set([...lists].flat())];
}
