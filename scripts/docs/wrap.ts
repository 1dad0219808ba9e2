/** Columns of prose in Markdown, as in code. */
const width = 120;

/** A line that is left as it is: a heading, a table row, an HTML comment or tag, a rule. */
const fixed = /^\s*(#{1,6} |\||<|---$)/;

/** The start of a list item or a quotation, with its indentation. */
const itemStart = /^(\s*)([-*+>]|\d+[.)]) +/;

/**
 * Markdown with each paragraph and list item filled to 120 columns. Code spans and links stay on one line. Prettier could do
 * this, but it also pads every table to its longest cell, and ours have cells of hundreds of characters.
 */
export function wrapMarkdown(text: string): string {
  const out: string[] = [];
  let words: string[] = [];
  let [first, rest] = ['', ''];
  let fence: string | undefined;
  const flush = (): void => {
    if (words.length > 0) out.push(...fill(words, first, rest));
    words = [];
  };
  for (const line of text.split('\n')) {
    const mark = /^\s*(```+|~~~+)/.exec(line)?.[1];
    if (fence !== undefined || mark !== undefined || fixed.test(line) || line.trim() === '') {
      flush();
      if (mark !== undefined && (fence === undefined || mark === fence)) fence = fence === undefined ? mark : undefined;
      out.push(line);
      continue;
    }
    const item = itemStart.exec(line);
    if (item !== null) flush();
    if (words.length === 0) {
      first = item?.[0] ?? /^\s*/.exec(line)?.[0] ?? '';
      rest = item === null ? first : ' '.repeat(first.length);
    }
    words.push(
      ...line
        .slice(item?.[0].length ?? 0)
        .trim()
        .split(/ +/),
    );
  }
  flush();
  return out.join('\n');
}

/** The words in lines of at most `width` columns. A word that would start a list or a heading never starts a line. */
function fill(words: readonly string[], first: string, rest: string): string[] {
  const lines: string[] = [];
  let line = '';
  for (const piece of joinSpans(words)) {
    const indent = lines.length === 0 ? first : rest;
    const fits = indent.length + line.length + 1 + piece.length <= width;
    if (line === '' || fits || /^([-*+>#=|]+|\d+[.)])$/.test(piece)) line = line === '' ? piece : `${line} ${piece}`;
    else {
      lines.push(indent + line);
      line = piece;
    }
  }
  return [...lines, (lines.length === 0 ? first : rest) + line];
}

/** Joins the words of a code span or of a link's text, which would be hard to read across two lines. */
function joinSpans(words: readonly string[]): string[] {
  const pieces: string[] = [];
  let open = '';
  for (const word of words) {
    const piece = open === '' ? word : `${open} ${word}`;
    const isOpen = (piece.match(/`/g)?.length ?? 0) % 2 === 1 || /\[[^\]]*$/.test(piece.replaceAll(/`[^`]*`/g, ''));
    open = isOpen ? piece : '';
    if (!isOpen) pieces.push(piece);
  }
  return open === '' ? pieces : [...pieces, ...open.split(' ')];
}
