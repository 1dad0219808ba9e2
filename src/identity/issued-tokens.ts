import { limits, messageOf, TonnageError, type Clock, type Log, type Random } from '../base/index.ts';
import { rights as allRights, type Principal, type Right } from './principal.ts';
import { tokenHash, tokenId, tokenSecretBytes, tokenText, type TokenKind } from './token-text.ts';
import { canonicalScope, type ScopeUpstreams } from './token-scope.ts';
import { checkTokenRequest, type CheckedTokenRequest, type TokenRequest } from './token-request.ts';

/** The public properties of a token. Times are in milliseconds since the Unix epoch. */
export interface TokenInfo extends CheckedTokenRequest {
  readonly id: string;
  readonly createdAt: number;
  /** Time of last use, with a precision of an hour. Absent: never used. */
  readonly usedAt?: number;
}

/** A stored token: its hash, never the token itself. */
export interface StoredToken extends Omit<TokenInfo, 'kind' | 'rights'> {
  readonly kind: string;
  readonly rights: readonly string[];
  /** SHA-256. */
  readonly hash: Uint8Array;
}

/** Stores tokens. */
export interface TokenStore {
  all(): Promise<readonly StoredToken[]>;
  add(token: StoredToken): Promise<void>;
  remove(id: string): Promise<void>;
  /** Stores the times of last use. */
  used(times: readonly { readonly id: string; readonly at: number }[]): Promise<void>;
}

/** Creates, lists and revokes tokens, here or on a server. */
export interface TokenManager {
  /** Creates a token. Only this result contains its text. Rejects with `bad_request` for an invalid request. */
  create(request: TokenRequest): Promise<TokenInfo & { readonly token: string }>;
  /** All tokens, oldest first, including expired ones. */
  list(): Promise<readonly TokenInfo[]>;
  /** Revokes a token at once. Rejects with `not_found`. */
  revoke(id: string): Promise<void>;
}

interface IssuedTokensOptions {
  readonly store: TokenStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** The upstreams that scopes of new tokens may name. Absent: unknown, so scopes are stored as stated. */
  readonly upstreams?: ScopeUpstreams;
}

interface Entry {
  facts: TokenInfo;
  readonly hash: string;
  readonly principal: Principal;
}

const idBytes = 5;

/** The rights that a path token, and a token with a Debusine scope, can have at most. */
const pathRights: readonly Right[] = ['pull'];
const debusineRights: readonly Right[] = ['query'];

/** All tokens of a data directory, in memory by hash, so that a request reads no file. */
export class IssuedTokens implements TokenManager {
  readonly #options: IssuedTokensOptions;
  readonly #byHash = new Map<string, Entry>();
  readonly #byId = new Map<string, Entry>();
  readonly #holders = new WeakMap<Principal, Entry>();
  /** Times of use that are not stored yet. */
  #uses = new Map<string, number>();
  #writing = false;
  #apiTokens = 0;

  private constructor(options: IssuedTokensOptions) {
    this.#options = options;
  }

  static async open(options: IssuedTokensOptions): Promise<IssuedTokens> {
    const tokens = new IssuedTokens(options);
    for (const stored of await options.store.all()) tokens.#remember(stored);
    return tokens;
  }

  /** Whether there is any API token. */
  get hasApiTokens(): boolean {
    return this.#apiTokens > 0;
  }

  /** The principal of a token; `undefined` if it is unknown, of another kind, expired or revoked. */
  find(kind: TokenKind, text: string): Principal | undefined {
    if (!text.startsWith('tng_')) return undefined;
    const entry = this.#byHash.get(keyOf(tokenHash(text)));
    if (entry === undefined || entry.facts.kind !== kind || !this.#isAlive(entry)) return undefined;
    this.#noteUse(entry);
    return entry.principal;
  }

  /** Whether the token of a principal from `find` is still valid; true for any other principal. */
  isValid(principal: Principal): boolean {
    const entry = this.#holders.get(principal);
    return entry === undefined || (this.#byId.get(entry.facts.id) === entry && this.#isAlive(entry));
  }

  async create(request: TokenRequest): Promise<TokenInfo & { readonly token: string }> {
    const { clock, random, store, upstreams } = this.#options;
    const now = clock.now();
    const { scope, ...checked } = checkTokenRequest(request, now);
    const names = upstreams === undefined ? scope : scope && canonicalScope(scope, upstreams);
    if (this.#byId.size >= limits.tokensMax) {
      throw new TonnageError('bad_request', `expected at most ${limits.tokensMax} tokens: revoke some first`);
    }
    const token = tokenText(checked.kind, random.bytes(tokenSecretBytes));
    const created: StoredToken = {
      id: this.#newId(),
      ...checked,
      ...(names && { scope: names }),
      createdAt: now,
      hash: tokenHash(token),
    };
    await store.add(created);
    return { ...this.#remember(created), token };
  }

  list(): Promise<readonly TokenInfo[]> {
    const all = [...this.#byId.values()].map(({ facts }) => facts);
    return Promise.resolve(all.toSorted((one, other) => one.createdAt - other.createdAt));
  }

  async revoke(id: string): Promise<void> {
    const entry = this.#byId.get(id);
    if (entry === undefined) throw new TonnageError('not_found', 'id: expected the id of a token, as in the list');
    await this.#options.store.remove(id);
    // A concurrent call may have revoked it.
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

  #remember({ hash, kind, rights, ...rest }: StoredToken): TokenInfo {
    const isPath = kind !== 'api';
    const known = isPath ? pathRights : rest.debusineScope === undefined ? allRights : debusineRights;
    const facts: TokenInfo = Object.freeze({
      ...rest,
      kind: isPath ? 'path' : 'api',
      rights: known.filter((right) => rights.includes(right)),
    });
    const principal: Principal = Object.freeze({
      subject: rest.name ?? `token-${rest.id}`,
      ...(rest.email !== undefined && { email: rest.email }),
      ...(rest.org !== undefined && { org: rest.org }),
      ...(rest.scope !== undefined && { scope: rest.scope }),
      ...(rest.debusineScope !== undefined && { debusineScope: rest.debusineScope }),
      rights: new Set(facts.rights),
    });
    const entry: Entry = { facts, hash: keyOf(hash), principal };
    this.#byHash.set(entry.hash, entry);
    this.#byId.set(rest.id, entry);
    this.#holders.set(principal, entry);
    if (!isPath) this.#apiTokens++;
    return facts;
  }

  /** Stores the time of use at most once an hour for each token, without delaying the request. */
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
        // Sequential: uses during a write are collected for the next one.
        await this.#options.store.used(times);
      }
    } catch (error) {
      this.#options.log.warn({ error: messageOf(error) }, 'storing the times of last use of tokens failed');
    } finally {
      this.#writing = false;
    }
  }
}

function keyOf(hash: Uint8Array): string {
  return Buffer.from(hash).toString('base64');
}
