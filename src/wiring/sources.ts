import type { CreateSources, ScheduledSource, SourceParts } from '../collector/index.ts';
import type { SourceConfig, SourceDriver } from '../config/index.ts';

/** A driver of sources: its keys, which the configuration needs, and its code, which is loaded once a source needs it. */
export interface SourceDriverEntry {
  readonly options: SourceDriver;
  /** The sources for one source of the configuration, which names this driver. Opens no connection. */
  open(source: SourceConfig, parts: SourceParts): Promise<readonly ScheduledSource[]>;
}

interface DriverModule {
  // A method, because its settings are those of its own `options`: `config` has checked the keys of each source with them.
  createSources(settings: SourceConfig, parts: SourceParts): readonly ScheduledSource[];
}

/** The entry of a driver in the table. `load` imports its module, whose keys must be those of `options`. */
export function sourceDriverEntry<Keys extends object>(
  options: SourceDriver<Keys>,
  load: () => Promise<{ readonly createSources: CreateSources<Keys> }>,
): SourceDriverEntry {
  return {
    options,
    async open(source, parts) {
      const module: DriverModule = await load();
      return module.createSources(source, parts);
    },
  };
}
