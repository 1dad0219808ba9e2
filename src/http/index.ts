export { createAdmit, createAuthorise, type AdmissionOptions } from './admission.ts';
export { createApi } from './api.ts';
export type { ApiOptions, App, Authorise, Readiness } from './contract.ts';
export { createListener, listen, type Address, type Handler, type Listener } from './listener.ts';
export { createMainHandler, type MainHandlerOptions } from './main-listener.ts';
export { createMetricsHandler, type MetricsHandlerOptions } from './metrics-handler.ts';
export { ociregistryFamilies } from './compat/ociregistry.ts';
export { textOnly } from './compat/text-only.ts';
export { createTokenEndpoint, type TokenEndpointOptions } from './token-endpoint.ts';
