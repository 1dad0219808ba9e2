/** Control characters, and halves of characters beyond U+FFFF that stand alone. */
const forbidden = /[\p{Cc}\p{Cs}]/u;

/**
 * Whether the text is one that CloudEvents allows (spec 1.0.2, section "Type System", String): no control characters,
 * no half of a surrogate pair. Two texts with different halves would be the same once they are written as UTF-8.
 */
export function isPlainText(text: string): boolean {
  return !forbidden.test(text);
}

/**
 * Whether the text is plain and shows as it is written: bidirectional controls (UAX #9) let `evil@a.org` be shown as
 * another address.
 */
export function isShowableText(text: string): boolean {
  return isPlainText(text) && !/\p{Bidi_Control}/u.test(text);
}
