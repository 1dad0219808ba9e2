import { resolve } from 'node:path';
import { messageOf } from '../base/index.ts';
import type { Environment } from './environment.ts';
import { formOf, valueOfText, type KeyInfo } from './keys.ts';
import { kindOf, shownOf, type ConfigProblem } from './problems.ts';
import type { MapEntry, MapNode, Path, ScalarNode, Tree } from './tree.ts';

export interface ReferenceSources {
  /** Values for `${NAME}`. Absent: texts are not templates. */
  readonly environment?: Environment;
  /** Directory that the file of a `...File` key is relative to. */
  readonly directory: string;
  /** Reads the file of a `...File` key. Throws an error whose message continues a sentence after its name. */
  readonly readSecret: (file: string, directory: string) => string;
}

/**
 * Replaces the references of a layer. `${NAME}` in a text becomes the value of the variable, and `$${` a plain `${`.
 * `passwordFile: F` becomes `password` with the content of F without a final newline. Only `readSecret` does I/O. A
 * broken reference becomes an empty text and a problem.
 */
export function followReferences(
  tree: Tree,
  root: KeyInfo,
  sources: ReferenceSources,
): { tree: Tree; problems: readonly ConfigProblem[] } {
  const follower = new Follower(sources);
  return { tree: follower.follow(tree, root, []), problems: follower.problems };
}

class Follower {
  readonly problems: ConfigProblem[] = [];
  readonly #sources: ReferenceSources;

  constructor(sources: ReferenceSources) {
    this.#sources = sources;
  }

  follow(node: Tree, anyForm: KeyInfo | undefined, path: Path): Tree {
    const info = anyForm && formOf(anyForm, node);
    if (node.kind === 'scalar') return this.#expand(node, info, path);
    if (node.kind === 'list') {
      return { ...node, items: node.items.map((item, index) => this.follow(item, info?.items, [...path, index])) };
    }
    const entries = [...node.entries].map(([key, entry]): [string, MapEntry] => {
      const value = this.follow(entry.value, info?.keys.get(key) ?? info?.named, [...path, key]);
      return [key, { ...entry, value }];
    });
    const followed = { ...node, entries: new Map(entries) };
    // The key that decides the form may be a reference itself.
    return this.#readFiles(followed, anyForm && formOf(anyForm, followed), path);
  }

  #expand(node: ScalarNode, info: KeyInfo | undefined, path: Path): ScalarNode {
    const { environment } = this.#sources;
    if (environment === undefined || typeof node.value !== 'string' || !node.value.includes('${')) return node;
    const text = node.value.replaceAll(/\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)\}|\$\{/g, (match, name?: string) => {
      if (match === '$${') return '${';
      if (name !== undefined) return this.#variable(environment, name, node, path);
      this.#report(node, path, 'expected a variable as in ${NAME}; write $${ for a plain ${');
      return '';
    });
    return { ...node, value: info === undefined ? text : valueOfText(text, info), written: node.value };
  }

  #variable(environment: Environment, name: string, node: ScalarNode, path: Path): string {
    const value = environment[name];
    if (value === undefined) this.#report(node, path, `the environment variable ${name} is not set`);
    return value ?? '';
  }

  /** Replaces the key `...File` of each secret with the secret's own key. */
  #readFiles(node: MapNode, info: KeyInfo | undefined, path: Path): MapNode {
    const entries = new Map(node.entries);
    const secrets = [...(info?.keys ?? [])].filter(([, child]) => child.secret).map(([key]) => key);
    for (const key of secrets) {
      const fileKey = `${key}File`;
      const entry = entries.get(fileKey);
      if (entry === undefined) continue;
      entries.delete(fileKey);
      if (entries.has(key))
        this.#report(entry.value, [...path, fileKey], `expected ${key} or ${fileKey}, but came both`);
      else entries.set(key, { ...entry, value: this.#readFile(entry.value, [...path, fileKey]) });
    }
    return { ...node, entries };
  }

  #readFile(node: Tree, path: Path): ScalarNode {
    const content: ScalarNode = { kind: 'scalar', value: '', origin: node.origin };
    if (node.kind !== 'scalar' || typeof node.value !== 'string' || node.value === '') {
      this.#report(node, path, `expected the name of a file, but came ${kindOf(node)}`);
      return content;
    }
    try {
      const { readSecret, directory } = this.#sources;
      const value = readSecret(node.value, directory).replace(/\r?\n$/, '');
      return { ...content, value, file: resolve(directory, node.value) };
    } catch (thrown) {
      this.#report(node, path, `${shownOf(node)} ${messageOf(thrown)}`);
      return content;
    }
  }

  #report(node: Tree, path: Path, message: string): void {
    this.problems.push({ origin: node.origin, path, message });
  }
}
