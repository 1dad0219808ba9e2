export { adapterSettings } from './adapters.ts';
export { countOfEgress, countsOfPull } from './counts.ts';
export { environmentProxies, gatewaySettings, ownAddressOf } from './gateway.ts';
export { createIdentity } from './identity.ts';
export { ledgerSettings, metersOf, organisationsFor } from './ledger.ts';
export { warnOfExposure } from './exposure.ts';
export { createLog } from './log.ts';
export { scopeUpstreamsOf } from './scope-upstreams.ts';
export { sourceDriverEntry } from './sources.ts';
