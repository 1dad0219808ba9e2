/** Whether an ASCII character occurs more than `max` times in a UTF-8 text. */
export function hasMoreThan(max: number, text: Buffer, character: string): boolean {
  const byte = character.charCodeAt(0);
  let count = 0;
  for (let at = text.indexOf(byte); at >= 0; at = text.indexOf(byte, at + 1)) {
    count++;
    if (count > max) return true;
  }
  return false;
}
