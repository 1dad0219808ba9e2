import { Connections } from '../upstream/connection.ts';
import { EgressProxies, type ProxyOf } from '../upstream/egress-proxy.ts';
import { countingBytes } from '../upstream/metering.ts';
import { AddressPolicy, type OwnAddress, type Resolve } from '../upstream/address-policy.ts';
import { RecordingMeter } from './meter.ts';

/** Creates the connections of an upstream at `url`, with a meter. */
export function connectionsOf(
  url: string,
  more: {
    readonly exceptions?: readonly string[];
    readonly own?: OwnAddress;
    readonly resolve?: Resolve;
    readonly proxyOf?: ProxyOf;
    readonly meter?: RecordingMeter;
  } = {},
): Connections & { readonly proxies: EgressProxies } {
  const { exceptions = [], own = { ports: new Set() }, resolve, proxyOf = () => undefined } = more;
  const { meter = new RecordingMeter() } = more;
  const proxies = new EgressProxies();
  const connections = new Connections({
    policy: new AddressPolicy({ origin: new URL(url), exceptions, own, resolve }),
    proxies,
    proxyOf,
    wrap: (dispatcher) => countingBytes(dispatcher, meter),
  });
  return Object.assign(connections, { proxies });
}
