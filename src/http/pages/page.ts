import type { SourcePage } from '../../collector/index.ts';

/** `public`: any client may read the page. `required`: only principals with the right `query` may. */
export type PageAccess = 'public' | 'required';

/** A page of sources on the main listener. */
export interface Page {
  /** The last segment of its path, `/api/1.0/open-metrics/NAME/`. Empty: the path without a name. */
  readonly name: string;
  readonly access: PageAccess;
  /** What its sources expose now. Never waits. */
  read(): SourcePage;
}
