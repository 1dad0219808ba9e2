import { limits } from '../base/index.ts';
import { isRepositoryName, isTag } from '../oci/index.ts';
import {
  canonicalArch,
  canonicalOrganisation,
  foldedValue,
  organisationOfEmail,
  type Dimension,
} from '../usage/index.ts';
import { Refusal, shown } from './refusal.ts';
import { isShowableText } from './text.ts';

/** What a dimension takes from outside. */
interface Rule {
  readonly expected: string;
  /** The value as it is counted; `undefined` when it is not valid. */
  readonly read: (text: string) => string | undefined;
}

const architecturePattern = /^[a-z0-9_-]{1,32}$/i;
const outcomePattern = new RegExp(`^[a-z0-9][a-z0-9_.-]{0,${limits.eventOutcomeLengthMax - 1}}$`);
/** A host or a name, with a port where needed; an IPv6 address in brackets. */
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
      'one architecture as images name it, such as "amd64" (1 to 32 letters and digits, no variant; of several, an event for each)',
    read: (text) => (architecturePattern.test(text) ? canonicalArch(text) : undefined),
  },
  upstream: {
    expected: `a host or a name (letters, digits, ".", "_" and "-"; an IPv6 address in brackets), with a port where needed, of at most ${limits.eventUpstreamLengthMax} characters`,
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
    expected: `a text of 1 to ${lengthMax} characters, without control characters and those that change its direction`,
    read: (text) => (text.length > 0 && text.length <= lengthMax && isShowableText(text) ? text : undefined),
  };
}

/** Values of one dimension that a reader remembers. */
const rememberedMax = 1_000;

/** Reads values of dimensions for the events of one request, which mostly have the same ones again and again. */
export class DimensionReader {
  readonly #remembered = new Map<Dimension, Map<string, string>>();

  /** The value as it is counted. `null` is no value, as is an architecture that its sender calls unknown. */
  read(name: Dimension, value: unknown): string | undefined | Refusal {
    if (value === null || (name === 'arch' && value === 'unknown')) return undefined;
    if (typeof value !== 'string') return readBy(rules[name], name, value);
    const remembered = this.#rememberedOf(name);
    const known = remembered.get(value);
    if (known !== undefined) return known;
    const result = readBy(rules[name], name, value);
    if (!(result instanceof Refusal) && remembered.size < rememberedMax) remembered.set(value, result);
    return result;
  }

  #rememberedOf(name: Dimension): Map<string, string> {
    let values = this.#remembered.get(name);
    if (values === undefined) this.#remembered.set(name, (values = new Map<string, string>()));
    return values;
  }
}

/** The organisation that an e-mail address in `data` stands for. */
export function readEmail(value: unknown): string | undefined | Refusal {
  return value === null ? undefined : readBy(email, 'email', value);
}

/** An organisation in another member of `data`. */
export function readOrganisation(member: string, value: unknown): string | Refusal {
  return readBy(organisation, member, value);
}

function readBy({ expected, read }: Rule, member: string, value: unknown): string | Refusal {
  if (value === foldedValue) {
    const message = `data.${member}: expected another value than ${foldedValue}, which stands for those beyond a limit`;
    return new Refusal('invalid_dimension', message);
  }
  const result = typeof value === 'string' ? read(value) : undefined;
  return result ?? new Refusal('invalid_dimension', `data.${member}: expected ${expected}, got ${shown(value)}`);
}
