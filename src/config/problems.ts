import { TonnageError } from '../base/index.ts';
import type { Origin, Path, Tree } from './tree.ts';

/** One problem of a configuration. */
export interface ConfigProblem {
  readonly origin: Origin;
  /** The path of the key; empty if the problem does not belong to a single key. */
  readonly path: Path;
  /** What was expected and what came, without secrets. */
  readonly message: string;
}

/** All problems of a configuration, with one line for each in `message`. The code is `config_invalid`. */
export class ConfigError extends TonnageError {
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    const distinct = new Map(problems.toSorted(compare).map((problem) => [formatProblem(problem), problem]));
    super('config_invalid', [...distinct.keys()].join('\n'));
    this.name = 'ConfigError';
    this.problems = [...distinct.values()];
  }
}

const kindsInOrder: readonly Origin['kind'][] = ['whole-file', 'file', 'variable', 'flag', 'default'];

/** The file from top to bottom, then the other layers. */
function compare({ origin: left }: ConfigProblem, { origin: right }: ConfigProblem): number {
  if (left.kind !== 'file' || right.kind !== 'file')
    return kindsInOrder.indexOf(left.kind) - kindsInOrder.indexOf(right.kind);
  return left.line - right.line || left.column - right.column;
}

/** `FILE:LINE:COLUMN: KEY: MESSAGE`. For a variable or a flag, its name comes first. */
export function formatProblem(problem: ConfigProblem): string {
  return [formatOrigin(problem.origin), formatPath(problem.path), problem.message]
    .filter((part) => part !== '')
    .join(': ');
}

/** Whether two paths are the same, or one contains the other. */
export function areRelated(left: Path, right: Path): boolean {
  return left.every((step, index) => index >= right.length || step === right[index]);
}

/** An origin as errors show it. */
function formatOrigin(origin: Origin): string {
  switch (origin.kind) {
    case 'file':
      return `${origin.file}:${origin.line}:${origin.column}`;
    case 'whole-file':
      return origin.file;
    case 'variable':
    case 'flag':
      return origin.name;
    case 'default':
      return 'default';
  }
}

/** A path as errors show it: dots between plain names, brackets around other names and around positions in lists. */
export function formatPath(path: Path): string {
  return path.reduce<string>((text, step, index) => {
    if (typeof step === 'number') return `${text}[${step}]`;
    if (!/^[A-Za-z0-9_-]{1,64}$/.test(step)) return `${text}[${quote(shownStep(path, index))}]`;
    return text === '' ? step : `${text}.${step}`;
  }, '');
}

/**
 * One step of a path as errors may show it. In YAML, `{ password:x }` without a blank is a single key, whose name
 * contains the secret. Only names of upstreams have a colon.
 */
export function shownStep(path: Path, index: number): string {
  const step = String(path[index]);
  return path[0] === 'upstreams' && index === 1 ? step : step.replace(/:.*$/s, ':...');
}

/**
 * A text as errors show it: in quotes, on one line and cut to a length. It leaves out what may be credentials, or a
 * private key that was stated in place of its file.
 */
export function quote(text: string): string {
  const bare = text.replace(/^.*(?::|\/\/).*@/s, '***@').replace(/(-----BEGIN ).*$/s, '$1***');
  return JSON.stringify(bare.length > 80 ? `${bare.slice(0, 77)}...` : bare);
}

/** A choice of values as errors and docs show it: `"a", "b" or "c"`. */
export function oneOf(values: readonly unknown[]): string {
  const words = values.map((value) => JSON.stringify(value));
  return [words.slice(0, -1).join(', '), words.at(-1)].filter((part) => part !== '').join(' or ');
}

/** The kind of a stated value, for errors that must not show the value. */
export function kindOf(node: Tree): string {
  if (node.kind === 'map') return 'a map';
  if (node.kind === 'list') return node.items.length === 0 ? 'an empty list' : 'a list';
  if (node.value === null) return 'nothing';
  return typeof node.value === 'boolean' ? String(node.value) : `a ${typeof node.value}`;
}

/** A stated value as errors show it. */
export function shownOf(node: Tree): string {
  if (node.kind !== 'scalar' || node.value === null) return kindOf(node);
  if (node.written !== undefined) return quote(node.written);
  return typeof node.value === 'string' ? quote(node.value) : String(node.value);
}
