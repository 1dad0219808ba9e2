/** Control characters and lone surrogates. */
const forbidden = /[\p{Cc}\p{Cs}]/u;

/**
 * Whether a text is a valid String of CloudEvents 1.0.2 ("Type System"): no control characters and no lone surrogates,
 * which would all become the same in UTF-8.
 */
export function isPlainText(text: string): boolean {
  return !forbidden.test(text);
}

/** Whether a text is plain and has no bidirectional controls (UAX #9), which could display `evil@a.org` as another address. */
export function isShowableText(text: string): boolean {
  return isPlainText(text) && !/\p{Bidi_Control}/u.test(text);
}
