import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  type Document,
  type ErrorCode as YamlErrorCode,
  type Node,
  type YAMLError,
} from 'yaml';
import { limits } from '../base/index.ts';
import { kindOf, type ConfigProblem } from './problems.ts';
import { emptyMap, type MapEntry, type MapNode, type Origin, type ScalarNode, type Tree } from './tree.ts';

/**
 * Messages for the errors of the parser. Its own messages quote the source, which may contain a secret. All other
 * errors get `syntaxFallback`.
 */
const syntaxMessages: Partial<Record<YamlErrorCode, string>> = {
  BAD_DQ_ESCAPE: 'an unknown escape in a double-quoted text; single quotes take everything as it is',
  BAD_INDENT: 'the indentation does not fit the lines around it',
  BAD_SCALAR_START: 'a text that begins like this must be in quotes',
  BLOCK_AS_IMPLICIT_KEY: 'a map may not start on the line of another key; put it on a line of its own',
  BLOCK_IN_FLOW: 'an indented block is not valid inside {} or []',
  DUPLICATE_KEY: 'this key is stated twice in the same map',
  KEY_OVER_1024_CHARS: 'a key may have at most 1024 characters',
  MISSING_CHAR: 'a character is missing here: a quote, colon, comma, space or closing bracket',
  MULTILINE_IMPLICIT_KEY: 'a key must be on one line; is a colon missing?',
  MULTIPLE_DOCS: 'one document is expected, but a second one begins here',
  NON_STRING_KEY: 'a key must be plain text',
  RESOURCE_EXHAUSTION: 'this is nested too deeply',
  TAB_AS_INDENT: 'tabs may not indent; use spaces',
  TAG_RESOLVE_FAILED: 'tags (!name) are not supported here',
  UNEXPECTED_TOKEN: 'this is not expected here; a text with special characters must be in quotes',
};
const syntaxFallback = 'this is not valid YAML';

export interface ParsedText {
  /** What the text states; an empty map if it is unreadable. */
  readonly tree: MapNode;
  readonly problems: readonly ConfigProblem[];
}

/** Walks the parsed document once and returns its values with their origins. */
class Walk {
  readonly problems: ConfigProblem[] = [];
  readonly #document: Document;
  readonly #originOf: (offset: number) => Origin;
  #nodesLeft: number = limits.configNodesMax;
  #exhausted: Origin | undefined;

  constructor(document: Document, originOf: (offset: number) => Origin) {
    this.#document = document;
    this.#originOf = originOf;
  }

  tree(node: Node | null | undefined, fallback: Origin, depth = 0): Tree {
    const range = node?.range;
    const origin = range === undefined || range === null ? fallback : this.#originOf(range[0]);
    const nothing: ScalarNode = { kind: 'scalar', value: null, origin };
    // An alias can name its own parent, so a short text could expand without end. These two limits stop it.
    if (depth > limits.configDepthMax || this.#nodesLeft-- <= 0) {
      this.#exhausted ??= origin;
      return nothing;
    }
    if (isAlias(node)) {
      const target = node.resolve(this.#document);
      if (target === undefined) this.#report(origin, 'an alias (*name) of an anchor that is not defined above it');
      return this.tree(target, origin, depth + 1);
    }
    if (isMap<Node, Node | null>(node)) return this.#map(node.items, origin, depth);
    if (!isSeq<Node | null>(node)) return isScalar(node) ? { ...nothing, value: scalarValue(node.value) } : nothing;
    return { kind: 'list', items: node.items.map((item) => this.tree(item, origin, depth + 1)), origin };
  }

  /** The first value beyond a limit, if any. */
  get exhausted(): Origin | undefined {
    return this.#exhausted;
  }

  #map(pairs: readonly { readonly key: Node; readonly value: Node | null }[], origin: Origin, depth: number): MapNode {
    const entries = new Map<string, MapEntry>();
    for (const { key, value } of pairs) {
      const keyOrigin = key.range ? this.#originOf(key.range[0]) : origin;
      const name = isScalar(key) ? String(key.value) : undefined;
      // In JavaScript this name sets the prototype of an object. No key has it.
      if (name === undefined || name === '__proto__') this.#report(keyOrigin, 'this cannot be a key');
      else entries.set(name, { origin: keyOrigin, value: this.tree(value, keyOrigin, depth + 1) });
    }
    return { kind: 'map', entries, origin };
  }

  #report(origin: Origin, message: string): void {
    this.problems.push({ origin, path: [], message });
  }
}

/** Values of the core schema of YAML 1.2. The parser has reported all others as tags. */
function scalarValue(value: unknown): ScalarNode['value'] {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : null;
}

/**
 * Reads YAML 1.2 into a tree with origins. In its core schema, `yes` and `on` are texts, and there are no dates.
 * Duplicate keys, tags and second documents are problems. An empty text is an empty map. `file` is the name for origins.
 */
export function parseYaml(text: string, file: string): ParsedText {
  const lineCounter = new LineCounter();
  const originOf = (offset: number): Origin => {
    const position = lineCounter.linePos(offset);
    return { kind: 'file', file, line: position.line, column: position.col };
  };
  const document = parseDocument(text, {
    lineCounter,
    prettyErrors: false,
    stringKeys: true,
    resolveKnownTags: false,
    logLevel: 'error',
  });
  const start: Origin = { kind: 'file', file, line: 1, column: 1 };
  const syntax = [...document.errors, ...document.warnings].map((error) => syntaxProblem(error, originOf));
  if (syntax.length > 0) return { tree: emptyMap(start), problems: syntax };

  const walk = new Walk(document, originOf);
  const tree = walk.tree(document.contents, start);
  if (walk.exhausted !== undefined) return unreadable(walk.exhausted, exhaustedMessage);
  if (tree.kind === 'map') return { tree, problems: walk.problems };
  if (tree.kind === 'scalar' && tree.value === null) return { tree: emptyMap(start), problems: [] };
  return unreadable(tree.origin, `expected a map of settings at the top, but came ${kindOf(tree)}`);
}

const exhaustedMessage =
  `at most ${limits.configNodesMax} values are expected, nested at most ${limits.configDepthMax} deep, ` +
  'with all aliases followed';

function unreadable(origin: Origin, message: string): ParsedText {
  return { tree: emptyMap(origin), problems: [{ origin, path: [], message }] };
}

function syntaxProblem(error: YAMLError, originOf: (offset: number) => Origin): ConfigProblem {
  const message = syntaxMessages[error.code] ?? syntaxFallback;
  return { origin: originOf(error.pos[0]), path: [], message };
}
