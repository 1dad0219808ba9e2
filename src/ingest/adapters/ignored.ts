/**
 * Why something that a system tells is nothing to count. Part of the interface: closed, listed in docs/guides/events.md, never
 * renamed.
 */
export const ignoredReasons = ['other_action', 'head', 'blob', 'index', 'upstream'] as const;
export type IgnoredReason = (typeof ignoredReasons)[number];

/** Something that was understood, and is nothing to count. */
export class Ignored {
  readonly ignored: IgnoredReason;

  constructor(ignored: IgnoredReason) {
    this.ignored = ignored;
  }
}
