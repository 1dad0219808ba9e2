export { openGateway } from './gateway.ts';
export type { Admission, AdmissionScope, Gateway, GatewayOptions, Pull, UpstreamOptions } from './options.ts';
export type { Amount } from './cache/survey.ts';
export type { GatewayStatistics } from './statistics.ts';
export { wellKnownUpstreams, type WellKnownUpstream } from './well-known.ts';
