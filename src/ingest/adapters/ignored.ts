/** Reasons for ignoring a notification. Part of the public interface: never renamed, and listed in docs/guides/events.md. */
export const ignoredReasons = ['other_action', 'head', 'blob', 'index', 'upstream'] as const;
export type IgnoredReason = (typeof ignoredReasons)[number];

/** A valid notification that does not count. */
export class Ignored {
  readonly ignored: IgnoredReason;

  constructor(ignored: IgnoredReason) {
    this.ignored = ignored;
  }
}
