import type { MetricFamily } from '../family.ts';

/** What a naming rule sees of a family: what it says of itself, and the names of its labels. */
export interface LintSubject {
  readonly family: MetricFamily;
  readonly labelNames: readonly string[];
}

/** One naming rule: answers a sentence for each breach. Rules know nothing of each other. */
export type LintRule = (subject: LintSubject) => readonly string[];
