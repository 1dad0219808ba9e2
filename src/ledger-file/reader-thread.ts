import { serveDatabase } from '../sqlite/index.ts';
import { createReaderProgram } from './totals/program.ts';

await serveDatabase(createReaderProgram);
