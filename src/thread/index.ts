export type { Functions } from './protocol.ts';
export { serve } from './serve.ts';
export { moduleBeside, Thread } from './thread.ts';
