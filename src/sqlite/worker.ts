import { serveDatabase } from './serve-database.ts';

// The thread of a file without a program.
await serveDatabase(() => ({}));
