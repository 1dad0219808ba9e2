import type { Principal } from '../identity/index.ts';
import { OciError } from '../oci/index.ts';
import type { Repository } from './names.ts';

/** Throws `denied` if the principal has a scope that does not include the repository. */
export function assertInScope(principal: Principal | null, { upstream, name }: Repository): void {
  if (principal?.scope === undefined) return;
  const full = `${upstream.name}/${name}`;
  const matches = (entry: string): boolean =>
    entry.endsWith('/*') ? full.startsWith(entry.slice(0, -1)) : full === entry;
  if (!principal.scope.some(matches)) throw new OciError('denied', 'these credentials are for other repositories');
}
