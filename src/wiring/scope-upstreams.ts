import type { Config } from '../config/index.ts';
import { wellKnownUpstreams } from '../gateway/index.ts';
import type { ScopeUpstreams } from '../identity/index.ts';

/** The upstreams that scopes of tokens may name. */
export function scopeUpstreamsOf({ upstreams, gateway }: Pick<Config, 'upstreams' | 'gateway'>): ScopeUpstreams {
  return {
    upstreams: upstreams.map(({ name, aliases }) => {
      const prefix = wellKnownUpstreams[name]?.singleSegmentPrefix;
      return { name, aliases, ...(prefix !== undefined && { singleSegmentPrefix: prefix }) };
    }),
    ...(gateway.defaultUpstream !== undefined && { defaultUpstream: gateway.defaultUpstream }),
  };
}
