import type { ListenAddress } from '../config/index.ts';
import { isLoopbackAddress } from '../identity/index.ts';

/** Whether only this machine can reach a listener. */
export function isLoopbackListener({ host }: ListenAddress): boolean {
  return host !== undefined && isLoopbackAddress(host);
}
