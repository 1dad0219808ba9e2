/** Control characters, and halves of characters beyond U+FFFF that stand alone. */
const forbidden = /[\p{Cc}\p{Cs}]/u;

/**
 * Whether the text is one that CloudEvents allows (spec 1.0.2, section "Type System", String): no control characters,
 * no half of a surrogate pair. Two texts with different halves would be the same once they are written as UTF-8.
 */
export function isPlainText(text: string): boolean {
  return !forbidden.test(text);
}
