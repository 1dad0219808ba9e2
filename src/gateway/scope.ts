import type { Principal } from '../identity/index.ts';
import { OciError } from '../oci/index.ts';
import type { Repository } from './names.ts';

/** Throws `denied` for a repository that is none of those that somebody may pull. */
export function assertInScope(principal: Principal | null, { upstream, name }: Repository): void {
  if (principal?.scope === undefined) return;
  const full = `${upstream.name}/${name}`;
  const isIn = (each: string): boolean => (each.endsWith('/*') ? full.startsWith(each.slice(0, -1)) : full === each);
  if (!principal.scope.some(isIn)) throw new OciError('denied', 'these credentials are for other repositories');
}
