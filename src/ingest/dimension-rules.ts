import { canonicalOrganisation, limits, organisationOfEmail } from '../base/index.ts';
import { isRepositoryName, isTag } from '../oci/index.ts';
import { canonicalArch, foldedValue, type Dimension } from '../usage/index.ts';
import { Refusal, shown } from './refusal.ts';
import { isShowableText } from './text.ts';

/** The rule for values of a dimension from outside. */
interface Rule {
  readonly expected: string;
  /** The canonical value; `undefined` if invalid. */
  readonly read: (text: string) => string | undefined;
}

const architecturePattern = /^[a-z0-9_-]{1,32}$/i;
const outcomePattern = new RegExp(`^[a-z0-9][a-z0-9_.-]{0,${limits.eventOutcomeLengthMax - 1}}$`);
/** A host or name, with an optional port. An IPv6 address is in brackets. */
const upstreamPattern = /^(?:[a-z0-9](?:[a-z0-9._-]{0,253}[a-z0-9])?|\[[0-9a-f:.]{2,45}\])(?::[0-9]{1,5})?$/i;

const organisation: Rule = {
  expected: 'an organisation (written like a domain: letters, digits, "-" and ".")',
  read: canonicalOrganisation,
};
const email: Rule = {
  expected: 'an e-mail address with one "@" between a name and a domain',
  read: organisationOfEmail,
};

/** Rules of the members of `data` that are dimensions. */
const rules: Readonly<Record<Dimension, Rule>> = {
  org: organisation,
  arch: {
    expected:
      'one architecture as in images, such as "amd64" (1 to 32 letters and digits, without variant; send one event per architecture)',
    read: (text) => (architecturePattern.test(text) ? canonicalArch(text) : undefined),
  },
  upstream: {
    expected: `a host or a name (letters, digits, ".", "_" and "-"; an IPv6 address in brackets), with an optional port, of at most ${limits.eventUpstreamLengthMax} characters`,
    read: (text) =>
      text.length <= limits.eventUpstreamLengthMax && upstreamPattern.test(text) ? text.toLowerCase() : undefined,
  },
  repository: {
    expected: `the name of a repository such as "library/alpine", of at most ${limits.repositoryNameLengthMax} characters`,
    read: (text) => (isRepositoryName(text) ? text : undefined),
  },
  tag: {
    expected: 'a tag of at most 128 letters, digits, "_", "." and "-"',
    read: (text) => (isTag(text) ? text : undefined),
  },
  outcome: {
    expected: `a word such as "success", of at most ${limits.eventOutcomeLengthMax} lower-case letters, digits, "_", "." and "-"`,
    read: (text) => (outcomePattern.test(text) ? text : undefined),
  },
  user: plainText(limits.eventUserLengthMax),
  client: plainText(limits.eventClientLengthMax),
};

function plainText(lengthMax: number): Rule {
  return {
    expected: `a text of 1 to ${lengthMax} characters, without control characters and bidirectional controls`,
    read: (text) => (text.length > 0 && text.length <= lengthMax && isShowableText(text) ? text : undefined),
  };
}

/** The most cached values of one dimension. */
const cachedMax = 1_000;

/** Validates dimensions of the events of one request. Caches values, because most events repeat them. */
export class DimensionReader {
  readonly #cached = new Map<Dimension, Map<string, string>>();

  /** The canonical value. `undefined` for `null` and for the architecture `unknown`. */
  read(name: Dimension, value: unknown): string | undefined | Refusal {
    if (value === null || (name === 'arch' && value === 'unknown')) return undefined;
    if (typeof value !== 'string') return readBy(rules[name], name, value);
    const cached = this.#cachedOf(name);
    const known = cached.get(value);
    if (known !== undefined) return known;
    const result = readBy(rules[name], name, value);
    if (!(result instanceof Refusal) && cached.size < cachedMax) cached.set(value, result);
    return result;
  }

  #cachedOf(name: Dimension): Map<string, string> {
    let values = this.#cached.get(name);
    if (values === undefined) this.#cached.set(name, (values = new Map<string, string>()));
    return values;
  }
}

/** The organisation of the e-mail address in `data`. */
export function readEmail(value: unknown): string | undefined | Refusal {
  return value === null ? undefined : readBy(email, 'email', value);
}

/** An organisation in another member of `data`. */
export function readOrganisation(member: string, value: unknown): string | Refusal {
  return readBy(organisation, member, value);
}

function readBy({ expected, read }: Rule, member: string, value: unknown): string | Refusal {
  if (value === foldedValue) {
    const message = `data.${member}: expected a value other than ${foldedValue}, which is reserved for values beyond a limit`;
    return new Refusal('invalid_dimension', message);
  }
  const result = typeof value === 'string' ? read(value) : undefined;
  return result ?? new Refusal('invalid_dimension', `data.${member}: expected ${expected}, got ${shown(value)}`);
}
