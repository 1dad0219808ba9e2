import { TonnageError } from '../base/index.ts';
import type { Origin, Path, Tree } from './tree.ts';

/** One thing that is wrong with the configuration. */
export interface ConfigProblem {
  readonly origin: Origin;
  /** The keys that lead to it; empty when it is about no one key. */
  readonly path: Path;
  /** What was expected and what came; never a secret. */
  readonly message: string;
}

/** All that is wrong with a configuration, one line each in `message`. Its code is `config_invalid`. */
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

/** In the order in which people would mend them: the file from top to bottom, then what else there is. */
function compare({ origin: left }: ConfigProblem, { origin: right }: ConfigProblem): number {
  if (left.kind !== 'file' || right.kind !== 'file')
    return kindsInOrder.indexOf(left.kind) - kindsInOrder.indexOf(right.kind);
  return left.line - right.line || left.column - right.column;
}

/** `FILE:LINE:COLUMN: KEY: MESSAGE`; for a variable or a flag its name stands first. */
export function formatProblem(problem: ConfigProblem): string {
  return [formatOrigin(problem.origin), formatPath(problem.path), problem.message]
    .filter((part) => part !== '')
    .join(': ');
}

/** Whether two paths lead to the same key, or one to what is inside the other's. */
export function areRelated(left: Path, right: Path): boolean {
  return left.every((step, index) => index >= right.length || step === right[index]);
}

/** Where an origin is, as errors name it. */
export function formatOrigin(origin: Origin): string {
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

/** A key path as errors name it: dots between plain names, brackets around others and around positions in lists. */
export function formatPath(path: Path): string {
  return path.reduce<string>((text, step, index) => {
    if (typeof step === 'number') return `${text}[${step}]`;
    if (!/^[A-Za-z0-9_-]{1,64}$/.test(step)) return `${text}[${quote(shownStep(path, index))}]`;
    return text === '' ? step : `${text}.${step}`;
  }, '');
}

/**
 * One step of a path as errors may show it. `{ password:x }` without a blank is a single key in YAML, with the secret in
 * its name; a colon belongs into the names of upstreams only.
 */
export function shownStep(path: Path, index: number): string {
  const step = String(path[index]);
  return path[0] === 'upstreams' && index === 1 ? step : step.replace(/:.*$/s, ':...');
}

/**
 * A text as errors show it: in quotes, on one line, not too long, and without what may be a user and password, or a key
 * in the place of its file.
 */
export function quote(text: string): string {
  const bare = text.replace(/^.*(?::|\/\/).*@/s, '***@').replace(/(-----BEGIN ).*$/s, '$1***');
  return JSON.stringify(bare.length > 80 ? `${bare.slice(0, 77)}...` : bare);
}

/** What kind of thing was stated, for errors that must not show the value. */
export function kindOf(node: Tree): string {
  if (node.kind === 'map') return 'a map';
  if (node.kind === 'list') return node.items.length === 0 ? 'an empty list' : 'a list';
  if (node.value === null) return 'nothing';
  return typeof node.value === 'boolean' ? String(node.value) : `a ${typeof node.value}`;
}

/** What was stated, as errors name it. */
export function shownOf(node: Tree): string {
  if (node.kind !== 'scalar' || node.value === null) return kindOf(node);
  if (node.written !== undefined) return quote(node.written);
  return typeof node.value === 'string' ? quote(node.value) : String(node.value);
}
