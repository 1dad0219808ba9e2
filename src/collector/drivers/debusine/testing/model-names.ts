/**
 * What Debusine 0.12.1 knows by name, written for the model alone: the driver has its own lists, so that a mistake in one of
 * them shows.
 */
const words = (text: string): readonly string[] => text.trim().split(/\s+/);

export const artifactCategories = words(`
  debian:autopkgtest debian:binary-package debian:binary-packages debian:blhc debian:debdiff debian:lintian
  debian:package-build-log debian:repository-index debian:source-package debian:system-image debian:system-tarball
  debian:upload debusine:signing-input debusine:signing-output debusine:test debusine:work-request-debug-logs`);

export const collectionCategories = words(`
  debian:environments debian:suite debian:suite-lintian debian:package-build-logs debusine:workflow-internal
  debusine:task-configuration debusine:task-history debian:archive debian:qa-results debusine:test`);

export const workflowNames = words(`
  autopkgtest blhc create_experiment_workspace debdiff debian_pipeline lintian make_signed_source noop package_publish
  package_upload piuparts qa reverse_dependencies_autopkgtest sbuild update_environments update_suites`);

/** Tasks by type, apart from those of workers. The type `Internal` has none. */
export const otherTasks: Readonly<Record<string, readonly string[]>> = {
  Workflow: workflowNames,
  Server: words(`
    aptmirror cloud_provisioning copycollectionitems create_experiment_workspace generatesuiteindexes packageupload
    servernoop updatesuitelintiancollection`),
  Signing: words('debsign generatekey noop sign signrepositoryindex'),
  Wait: words('delay externaldebsign'),
};

export const workerTasks = words(`
  assemblesignedsource autopkgtest blhc debdiff extractforsigning lintian makesourcepackageupload mergeuploads mmdebstrap
  noop piuparts sbuild simplesystemimagebuild`);

export const statuses = words('pending running completed aborted blocked');
export const executorBackends = words('incus-lxc incus-vm qemu unshare');
export const activityDays = [1, 3, 7, 14, 30, 90, 365];
