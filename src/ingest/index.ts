export {
  adapterNames,
  createAdapter,
  createMappedReader,
  Ignored,
  ignoredReasons,
  type Adapter,
  type AdapterName,
  type AdapterSettings,
} from './adapters/index.ts';
export { answerText, outcomesOf, summaryOf, type EventOutcome, type EventsSummary } from './answer.ts';
export type { HeaderLines } from './binary-mode.ts';
export { contentModeOf, eventContentTypes, eventsOfBody, type ContentMode } from './body.ts';
export { createEventReader, type EventReader } from './event-reader.ts';
export { Refusal, refusalReasons } from './refusal.ts';
export type { Sender } from './sender.ts';
