/**
 * The values that Debusine 0.12.1 fills its families up with. They are in its code and not in its database, so another
 * version may have others; rows with other values are exposed as they are.
 */

export const artifactCategories = [
  'debian:autopkgtest',
  'debian:binary-package',
  'debian:binary-packages',
  'debian:blhc',
  'debian:debdiff',
  'debian:lintian',
  'debian:package-build-log',
  'debian:repository-index',
  'debian:source-package',
  'debian:system-image',
  'debian:system-tarball',
  'debian:upload',
  'debusine:signing-input',
  'debusine:signing-output',
  'debusine:test',
  'debusine:work-request-debug-logs',
];

/** Assets that belong to a workspace, and those that usually belong to none. */
export const assetCategories = { scoped: 'debusine:signing-key', unscoped: 'debusine:cloud-provider-account' };

export const collectionCategories = [
  'debian:archive',
  'debian:environments',
  'debian:package-build-logs',
  'debian:qa-results',
  'debian:suite',
  'debian:suite-lintian',
  'debusine:task-configuration',
  'debusine:task-history',
  'debusine:test',
  'debusine:workflow-internal',
];

export const workflowNames = [
  'autopkgtest',
  'blhc',
  'create_experiment_workspace',
  'debdiff',
  'debian_pipeline',
  'lintian',
  'make_signed_source',
  'noop',
  'package_publish',
  'package_upload',
  'piuparts',
  'qa',
  'reverse_dependencies_autopkgtest',
  'sbuild',
  'update_environments',
  'update_suites',
];

/** Names of tasks that run on external workers, whose data names an architecture and a backend. */
export const workerTaskNames = [
  'assemblesignedsource',
  'autopkgtest',
  'blhc',
  'debdiff',
  'extractforsigning',
  'lintian',
  'makesourcepackageupload',
  'mergeuploads',
  'mmdebstrap',
  'noop',
  'piuparts',
  'sbuild',
  'simplesystemimagebuild',
];

/** Names of the other tasks by type. Tasks of the type Internal have no fixed names. */
export const otherTaskNames: Readonly<Record<string, readonly string[]>> = {
  Server: [
    'aptmirror',
    'cloud_provisioning',
    'copycollectionitems',
    'create_experiment_workspace',
    'generatesuiteindexes',
    'packageupload',
    'servernoop',
    'updatesuitelintiancollection',
  ],
  Workflow: workflowNames,
  Signing: ['debsign', 'generatekey', 'noop', 'sign', 'signrepositoryindex'],
  Wait: ['delay', 'externaldebsign'],
};

export const statuses = ['pending', 'running', 'completed', 'aborted', 'blocked'];

/** Executors of tasks. Task data may also say `auto`. */
export const executorBackends = ['incus-lxc', 'incus-vm', 'qemu', 'unshare'];

/** Upper bounds in days of the histograms of activity. */
export const activityDays: readonly number[] = [1, 3, 7, 14, 30, 90, 365];
