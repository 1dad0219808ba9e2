export { openGateway } from './gateway.ts';
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
export type { OwnDoors } from './upstream/reach.ts';
export { wellKnownUpstreams } from './well-known.ts';
