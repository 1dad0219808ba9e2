import { userActivity, userIdentitiesActivity } from './activity.ts';
import {
  artifacts,
  assets,
  collections,
  groups,
  tokens,
  userIdentities,
  users,
  workflowTemplates,
  workspaces,
} from './counts.ts';
import type { DebusineFamily } from './family.ts';
import { fileStoreMaxSize, fileStoreSize, workerPoolRuntime } from './pools-and-stores.ts';
import { workRequests } from './work-requests.ts';
import { workers } from './workers.ts';

/** The families that Debusine itself exposes, in its order. One transaction reads them all. */
export const baseFamilies: readonly DebusineFamily[] = [
  artifacts,
  assets,
  collections,
  groups,
  tokens,
  userIdentities,
  userIdentitiesActivity,
  users,
  userActivity,
  workRequests,
  workers,
  workerPoolRuntime,
  workflowTemplates,
  workspaces,
  fileStoreSize,
  fileStoreMaxSize,
];

/** Their queries run first: this process makes their series while the server works on the other queries. */
export const familiesOfManySeries: readonly DebusineFamily[] = [workers, workRequests];
