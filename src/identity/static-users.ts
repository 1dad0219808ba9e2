import {
  isOrganisation,
  limits,
  organisationOfEmail,
  parsePasswordHash,
  TonnageError,
  Turns,
  type Log,
  type PasswordHash,
  type Random,
} from '../base/index.ts';
import type { Authenticator, Verdict } from './authenticator.ts';
import type { Credential } from './authorization.ts';
import { decoyHash, verifyPassword } from './password.ts';
import type { Principal, Right } from './principal.ts';

/** A configured user. */
export interface StaticUser {
  readonly name: string;
  /** From `hashPassword`, or Wave's `sha256:<hex>`. */
  readonly passwordHash: string;
  readonly email?: string;
  /** Default: the organisation of the e-mail address. Without either the user has none. */
  readonly org?: string;
  readonly rights: readonly Right[];
}

interface StaticUsersOptions {
  readonly users: readonly StaticUser[];
  readonly log: Log;
  readonly random: Random;
}

interface Account {
  readonly principal: Principal;
  readonly hash: PasswordHash;
}

/**
 * HTTP Basic with users of the configuration. Throws `config_invalid` for a hash, e-mail or organisation that cannot be
 * used; a user whose e-mail gave no organisation would see all of them.
 */
export function createStaticUsers(options: StaticUsersOptions): Authenticator {
  for (const user of options.users) {
    if (user.passwordHash.startsWith('sha256:')) {
      options.log.warn(
        { user: user.name },
        'a user has an unsalted sha256 password hash; create a new one with tonnage user hash',
      );
    }
  }
  const accounts = new Map(options.users.map((user) => [user.name, accountOf(user)]));
  return new StaticUsers(accounts, decoyHash(options.random));
}

function accountOf(user: StaticUser): Account {
  const { name, email } = user;
  const hash = parsePasswordHash(user.passwordHash);
  if (hash === undefined) throw refused(name, 'passwordHash', 'a password hash ("scrypt:..." or "sha256:...")');
  const org = user.org ?? (email === undefined ? undefined : organisationOfEmail(email));
  if (email !== undefined && organisationOfEmail(email) === undefined)
    throw refused(name, 'email', 'an e-mail address');
  if (org !== undefined && !isOrganisation(org)) throw refused(name, 'org', 'an organisation in lower case');
  const principal: Principal = Object.freeze({
    subject: name,
    ...(email !== undefined && { email }),
    ...(org !== undefined && { org }),
    rights: new Set(user.rights),
  });
  return { principal, hash };
}

function refused(user: string, key: string, expected: string): TonnageError {
  return new TonnageError('config_invalid', `users.${user}.${key}: expected ${expected}, but came something else`);
}

class StaticUsers {
  readonly kind = 'check';
  readonly #accounts: ReadonlyMap<string, Account>;
  readonly #decoy: PasswordHash;
  /** Hashing runs on the threads that also read and write files, so it is limited: the cache must not wait for logins. */
  readonly #turns = new Turns({ runningMax: limits.passwordChecksMax, waitingMax: limits.passwordChecksWaitingMax });

  constructor(accounts: ReadonlyMap<string, Account>, decoy: PasswordHash) {
    this.#accounts = accounts;
    this.#decoy = decoy;
  }

  authenticate(credential: Credential, rank?: () => number): Promise<Verdict | 'busy'> | undefined {
    if (credential.scheme !== 'basic' || credential.password === '') return undefined;
    const { password } = credential;
    const account = this.#accounts.get(credential.user);
    return this.#turns.take(() => this.#check(password, account), rank);
  }

  /** Spends the time of a scrypt hash also for unknown users and quick hashes, so that timing does not reveal which users exist. */
  async #check(password: string, account: Account | undefined): Promise<Verdict> {
    if (account?.hash.kind !== 'scrypt') await verifyPassword(password, this.#decoy);
    if (account === undefined) return undefined;
    return (await verifyPassword(password, account.hash)) ? account.principal : undefined;
  }
}
