/** Whether one sign of ASCII stands in a text in UTF-8 more often than `most` times. */
export function hasMoreThan(most: number, text: Buffer, sign: string): boolean {
  const byte = sign.charCodeAt(0);
  let count = 0;
  for (let at = text.indexOf(byte); at >= 0; at = text.indexOf(byte, at + 1)) {
    count++;
    if (count > most) return true;
  }
  return false;
}
