import { TonnageError } from '../base/index.ts';

/** Somebody has to wait before they may log in. */
export class LoginLimited extends TonnageError {
  readonly retryAfterSeconds: number;

  constructor(retryAfterSeconds: number) {
    super(
      'login_limited',
      `too many logins failed from this address, or too many came at once; the next is taken in ${retryAfterSeconds} s`,
    );
    this.retryAfterSeconds = retryAfterSeconds;
  }
}
