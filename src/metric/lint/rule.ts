import type { MetricFamily } from '../family.ts';

/** The input of a naming rule. */
interface LintSubject {
  readonly family: MetricFamily;
  readonly labelNames: readonly string[];
}

/** One naming rule: returns a sentence for each violation. Rules are independent of each other. */
export type LintRule = (subject: LintSubject) => readonly string[];
