/** A failure that setup explains to the person at the terminal: what is wrong, why it matters, what to do. */
export class SetupFailure extends Error {
  /** @param {...string} lines shown one below the other, the first as the headline */
  constructor(...lines) {
    super(lines.join('\n'));
    this.name = 'SetupFailure';
  }
}

/**
 * One line of progress. It goes to standard error, so that standard output stays the command's own.
 *
 * @param {string} line
 */
export function say(line) {
  process.stderr.write(`setup: ${line}\n`);
}
