import { assert } from '../base/index.ts';
import type { CollectorSet, SourcePage } from '../collector/index.ts';
import type { Config } from '../config/index.ts';
import type { SourceDriverEntry } from './sources.ts';

/** As `http` serves it. */
interface Page {
  readonly path: string;
  readonly access: 'public' | 'required';
  read(): SourcePage;
}

/** The pages of the configured sources, by path. All sources of a page have the same access: `config` checks that. */
export function pagesOf(
  { sources }: Pick<Config, 'sources'>,
  drivers: Readonly<Record<string, Pick<SourceDriverEntry, 'options'>>>,
  collectors: Pick<CollectorSet, 'page'>,
): readonly Page[] {
  const pages = new Map<string, Page>();
  for (const source of sources) {
    const page = drivers[source.driver]?.options.page;
    if (page === undefined) continue;
    const path = page.of(source);
    const read = () => {
      const current = collectors.page(path);
      assert(current !== undefined, `the collectors have no source of the page ${path}`);
      return current;
    };
    pages.set(path, { path, access: page.access(source), read });
  }
  return [...pages.values()];
}
