import { errorTable } from '../../src/base/errors.ts';
import { limits } from '../../src/base/limits.ts';

const generated = '<!-- Written by `npm run docs`; change the source instead. -->';

/** `docs/reference/errors.md`: the table of error codes. */
export function errorsPage(): string {
  const rows = Object.entries(errorTable).map(([code, { status, title }]) => `| \`${code}\` | ${status} | ${title} |`);
  return [
    '# Errors',
    '',
    generated,
    '',
    "Tonnage's own routes answer errors as `application/problem+json` (RFC 9457). The member `code` is one of these codes. Log",
    'lines about an error have the same code. A code never changes its meaning. Routes below `/v2` have the error codes of the',
    'OCI distribution specification instead.',
    '',
    '| code | status | title |',
    '|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

/**
 * `docs/reference/limits.md`: every limit with its default and its doc comment.
 *
 * @param source text of src/base/limits.ts, because comments do not exist at run time
 */
export function limitsPage(source: string): string {
  const comments = limitComments(source);
  const rows = Object.entries(limits).map(([name, value]) => {
    const comment = comments.get(name);
    if (comment === undefined) throw new Error(`the limit ${name} has no doc comment that says what it limits`);
    return `| \`${name}\` | ${limitValue(name, value)} | ${comment} |`;
  });
  return [
    '# Limits',
    '',
    generated,
    '',
    'Everything that can grow has a limit with a name. If a limit can be configured, its row names the key.',
    '',
    '| limit | default | what it limits |',
    '|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

/** The doc comment of each member of an object literal, as one line. */
export function limitComments(source: string): ReadonlyMap<string, string> {
  const members = source.matchAll(/\/\*\*((?:(?!\*\/)[^])*)\*\/\s*(\w+):/g);
  return new Map(
    [...members].map(([, comment = '', name = '']) => [
      name,
      comment
        .split('\n')
        .map((line) => line.replace(/^\s*\*? ?/, '').trim())
        .join(' ')
        .trim()
        .replaceAll('|', '\\|'),
    ]),
  );
}

/** A limit in the unit that its name ends with: bytes as KiB and MiB, milliseconds as seconds, minutes and hours. */
export function limitValue(name: string, value: number): string {
  if (/Bytes/.test(name))
    return inUnits(
      value,
      [
        ['GiB', 2 ** 30],
        ['MiB', 2 ** 20],
        ['KiB', 2 ** 10],
      ],
      'bytes',
    );
  if (/Ms([A-Z]|$)/.test(name))
    return inUnits(
      value,
      [
        ['h', 3_600_000],
        ['min', 60_000],
        ['s', 1_000],
      ],
      'ms',
    );
  return value.toLocaleString('en');
}

/** In the largest unit of which the value is a whole number. */
function inUnits(value: number, units: readonly (readonly [string, number])[], smallest: string): string {
  const [name, size] = units.find(([, factor]) => value >= factor && value % factor === 0) ?? [smallest, 1];
  return `${(value / size).toLocaleString('en')} ${name}`;
}
