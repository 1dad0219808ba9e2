export {
  createAdmit,
  createAuthorise,
  createAuthorisePage,
  createAuthoriseScrape,
  type AdmissionOptions,
} from './admission.ts';
export { createApi } from './api.ts';
export { readinessOf } from './readiness.ts';
export { createForwardedReader } from './forwarded.ts';
export { createListener, listen, type Listener } from './listener.ts';
export { openLocalSocket } from './local-socket.ts';
export { openListenerTls } from './tls/listener-tls.ts';
export { createMainHandler } from './main-listener.ts';
export { silentReaderReport } from './metrics.ts';
export { createMetricsHandler } from './metrics-handler.ts';
export { ociregistryFamilies } from './compat/ociregistry.ts';
export { textOnly } from './compat/text-only.ts';
export { createTokenEndpoint } from './token-endpoint.ts';
