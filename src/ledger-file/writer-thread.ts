import { serveDatabase } from '../sqlite/index.ts';
import { createWriterProgram } from './journal/program.ts';

await serveDatabase(createWriterProgram);
