import { limits, messageOf, TonnageError, type Clock, type Log, type Random } from '../base/index.ts';
import { rights as allRights, type Principal, type Right } from './principal.ts';
import { tokenHash, tokenId, tokenSecretBytes, tokenText, type TokenKind } from './token-text.ts';
import { canonicalScope, type ScopeUpstreams } from './token-scope.ts';
import { grantWish, type TokenWish } from './token-wish.ts';

/** What may be told of a token, to whoever may manage tokens. Times in milliseconds since the Unix epoch. */
export interface TokenFacts {
  readonly id: string;
  readonly kind: TokenKind;
  readonly name?: string;
  readonly email?: string;
  readonly org?: string;
  readonly scope?: readonly string[];
  readonly rights: readonly Right[];
  readonly createdAt: number;
  readonly expiresAt?: number;
  /** Exact to an hour. Absent: never. */
  readonly usedAt?: number;
}

/** A token as it is kept: never itself, only its hash. */
export interface KeptToken extends Omit<TokenFacts, 'kind' | 'rights'> {
  readonly kind: string;
  readonly rights: readonly string[];
  /** SHA-256. */
  readonly hash: Uint8Array;
}

/** Where tokens are kept. */
export interface TokenKeeper {
  all(): Promise<readonly KeptToken[]>;
  add(token: KeptToken): Promise<void>;
  remove(id: string): Promise<void>;
  /** Notes when tokens were used last. */
  used(times: readonly { readonly id: string; readonly at: number }[]): Promise<void>;
}

/** Making, listing and revoking tokens: here, or at a server. */
export interface TokenDesk {
  /** Makes a token. Its text is in the answer, and nowhere else, ever. Throws `bad_request` for what cannot be. */
  create(wish: TokenWish): Promise<TokenFacts & { readonly token: string }>;
  /** All tokens, oldest first; those that have expired too. */
  list(): Promise<readonly TokenFacts[]>;
  /** From now on it opens nothing. Throws `not_found`. */
  revoke(id: string): Promise<void>;
}

export interface IssuedTokensOptions {
  readonly keeper: TokenKeeper;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** What the scopes of new tokens may name. Absent: that is not known here, and they are kept as they are. */
  readonly upstreams?: ScopeUpstreams;
}

interface Entry {
  facts: TokenFacts;
  readonly hash: string;
  readonly principal: Principal;
}

const idBytes = 5;

/** All tokens of a data directory, found by their hashes in memory: nothing is read for a request. */
export class IssuedTokens implements TokenDesk {
  readonly #options: IssuedTokensOptions;
  readonly #byHash = new Map<string, Entry>();
  readonly #byId = new Map<string, Entry>();
  readonly #holders = new WeakMap<Principal, Entry>();
  /** Uses that are not written down yet. */
  #uses = new Map<string, number>();
  #writing = false;
  #apiTokens = 0;

  private constructor(options: IssuedTokensOptions) {
    this.#options = options;
  }

  static async open(options: IssuedTokensOptions): Promise<IssuedTokens> {
    const tokens = new IssuedTokens(options);
    for (const kept of await options.keeper.all()) tokens.#remember(kept);
    return tokens;
  }

  /** Whether there is any API token: somebody to log in as. */
  get hasApiTokens(): boolean {
    return this.#apiTokens > 0;
  }

  /** Whom a token stands for; `undefined` for one that is unknown, of another kind, expired or revoked. */
  find(kind: TokenKind, text: string): Principal | undefined {
    if (!text.startsWith('tng_')) return undefined;
    const entry = this.#byHash.get(keyOf(tokenHash(text)));
    if (entry === undefined || entry.facts.kind !== kind || !this.#isAlive(entry)) return undefined;
    this.#noteUse(entry);
    return entry.principal;
  }

  /** Whether a principal that `find` has answered is one that it would answer again; true for any other. */
  isGood(principal: Principal): boolean {
    const entry = this.#holders.get(principal);
    return entry === undefined || (this.#byId.get(entry.facts.id) === entry && this.#isAlive(entry));
  }

  async create(wish: TokenWish): Promise<TokenFacts & { readonly token: string }> {
    const { clock, random, keeper, upstreams } = this.#options;
    const now = clock.now();
    const { scope, ...granted } = grantWish(wish, now);
    const names = upstreams === undefined ? scope : scope && canonicalScope(scope, upstreams);
    if (this.#byId.size >= limits.tokensMax) {
      throw new TonnageError('bad_request', `expected at most ${limits.tokensMax} tokens: revoke some first`);
    }
    const token = tokenText(granted.kind, random.bytes(tokenSecretBytes));
    const made: KeptToken = {
      id: this.#newId(),
      ...granted,
      ...(names && { scope: names }),
      createdAt: now,
      hash: tokenHash(token),
    };
    await keeper.add(made);
    return { ...this.#remember(made), token };
  }

  list(): Promise<readonly TokenFacts[]> {
    const all = [...this.#byId.values()].map(({ facts }) => facts);
    return Promise.resolve(all.toSorted((one, other) => one.createdAt - other.createdAt));
  }

  async revoke(id: string): Promise<void> {
    const entry = this.#byId.get(id);
    if (entry === undefined) throw new TonnageError('not_found', 'id: expected the id of a token, as list shows it');
    await this.#options.keeper.remove(id);
    // Somebody else may have revoked it meanwhile.
    if (!this.#byId.delete(id)) return;
    this.#byHash.delete(entry.hash);
    this.#uses.delete(id);
    if (entry.facts.kind === 'api') this.#apiTokens--;
  }

  #newId(): string {
    for (;;) {
      const id = tokenId(this.#options.random.bytes(idBytes));
      if (!this.#byId.has(id)) return id;
    }
  }

  #isAlive({ facts }: Entry): boolean {
    return facts.expiresAt === undefined || facts.expiresAt > this.#options.clock.now();
  }

  #remember({ hash, kind, rights, ...rest }: KeptToken): TokenFacts {
    const known = allRights.filter((right) => rights.includes(right));
    const isPath = kind !== 'api';
    const facts: TokenFacts = Object.freeze({
      ...rest,
      kind: isPath ? 'path' : 'api',
      rights: isPath ? known.filter((right) => right === 'pull') : known,
    });
    const principal: Principal = Object.freeze({
      subject: rest.name ?? `token-${rest.id}`,
      ...(rest.email !== undefined && { email: rest.email }),
      ...(rest.org !== undefined && { org: rest.org }),
      ...(rest.scope !== undefined && { scope: rest.scope }),
      rights: new Set(facts.rights),
    });
    const entry: Entry = { facts, hash: keyOf(hash), principal };
    this.#byHash.set(entry.hash, entry);
    this.#byId.set(rest.id, entry);
    this.#holders.set(principal, entry);
    if (!isPath) this.#apiTokens++;
    return facts;
  }

  /** Written down at most once an hour for each token, behind the request. */
  #noteUse(entry: Entry): void {
    const now = this.#options.clock.now();
    const { id, usedAt } = entry.facts;
    if (usedAt !== undefined && now - usedAt < limits.tokenUsedEveryMs) return;
    entry.facts = Object.freeze({ ...entry.facts, usedAt: now });
    this.#uses.set(id, now);
    void this.#writeUses();
  }

  async #writeUses(): Promise<void> {
    if (this.#writing) return;
    this.#writing = true;
    try {
      while (this.#uses.size > 0) {
        const times = [...this.#uses].map(([id, at]) => ({ id, at }));
        this.#uses = new Map();
        // One after the other: what is used meanwhile goes together with the next.
        await this.#options.keeper.used(times);
      }
    } catch (error) {
      this.#options.log.warn({ error: messageOf(error) }, 'when tokens were used last could not be written down');
    } finally {
      this.#writing = false;
    }
  }
}

function keyOf(hash: Uint8Array): string {
  return Buffer.from(hash).toString('base64');
}
