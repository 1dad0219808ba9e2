export { parseAuthorization, type Credential } from './authorization.ts';
export type { Authenticator, Verdict } from './authenticator.ts';
export { createDoor, requireRight, type Door, type DoorOptions, type Outcome, type Visitor } from './door.ts';
export { isLoopbackAddress, isLoopbackHost } from './loopback.ts';
export { isOrganisation, organisationOf } from './organisation.ts';
export { hashPassword, parsePasswordHash, verifyPassword, type PasswordHash } from './password.ts';
export { rights, type Principal, type Right } from './principal.ts';
export { PullTokens, type PullToken } from './pull-tokens.ts';
export { createStaticUsers, type StaticUser, type StaticUsersOptions } from './static-users.ts';
