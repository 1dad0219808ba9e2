import { join } from 'node:path';
import type { Config, UpstreamConfig } from '../config/index.ts';
import type { GatewayOptions, UpstreamOptions } from '../gateway/index.ts';

type Settings = Pick<
  GatewayOptions,
  'upstreams' | 'defaultUpstream' | 'directory' | 'factsWaitMs' | 'fusionEntrypoint'
>;

/** What a configuration says about the gateway. */
export function gatewaySettings({ upstreams, gateway, data }: Config): Settings {
  const { defaultUpstream, factsWaitMs, fusionEntrypoint } = gateway;
  return {
    upstreams: upstreams.map(upstreamOf),
    ...(defaultUpstream !== undefined && { defaultUpstream }),
    directory: join(data, 'cache'),
    factsWaitMs,
    ...(fusionEntrypoint !== false && { fusionEntrypoint }),
  };
}

function upstreamOf({ auth, ...upstream }: UpstreamConfig): UpstreamOptions {
  if (auth === undefined) return upstream;
  return { ...upstream, auth: { basic: { username: auth.basic.username, password: auth.basic.password.reveal() } } };
}
