import type { SourcePage } from '../../collector/index.ts';

/** `public`: any client may read the page. `required`: only principals with the right `query` may. */
export type PageAccess = 'public' | 'required';

/** A page of sources on the main listener. */
export interface Page {
  /** `/api/1.0/open-metrics/`, or one segment below it with a slash at its end. */
  readonly path: string;
  readonly access: PageAccess;
  /** What its sources expose now. Never waits. */
  read(): SourcePage;
}
