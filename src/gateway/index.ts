export { openGateway } from './gateway.ts';
export { matchesETag } from './headers.ts';
export type {
  Admission,
  AdmissionScope,
  Egress,
  Gateway,
  GatewayOptions,
  GatewayStatistics,
  Pull,
  UpstreamOptions,
} from './options.ts';
export { unsentBytes } from './unsent.ts';
export type { EnvironmentProxies } from './upstream/egress-proxy.ts';
export type { OwnAddress } from './upstream/address-policy.ts';
export { wellKnownUpstreams } from './well-known.ts';
