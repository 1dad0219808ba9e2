export type { Functions } from './protocol.ts';
export { serve, type Service } from './serve.ts';
export { moduleBeside, Thread, type ThreadOptions } from './thread.ts';
