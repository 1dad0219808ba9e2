import { TonnageError } from '../base/index.ts';

/** The client must wait before it may log in again. */
export class LoginLimited extends TonnageError {
  readonly retryAfterSeconds: number;

  constructor(retryAfterSeconds: number) {
    super(
      'login_limited',
      `too many failed or concurrent logins from this address; try again in ${retryAfterSeconds} s`,
    );
    this.retryAfterSeconds = retryAfterSeconds;
  }
}
