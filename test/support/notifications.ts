/** The notifications of registries about one image, `visible/app`: those of Distribution and Harbor, and an event of zot. */
const digest = `sha256:${'a'.repeat(64)}`;

export function distributionPull(id: string, time: number): object {
  const target = { mediaType: 'application/vnd.oci.image.manifest.v1+json', repository: 'visible/app', digest };
  const request = { addr: '192.0.2.1:1', host: 'registry.example.org', method: 'GET' };
  const source = { addr: 'r:5000', instanceID: 'i-1' };
  const timestamp = new Date(time).toISOString();
  return { events: [{ id, timestamp, action: 'pull', target, request, actor: { name: 'alice' }, source }] };
}

export function harborPull(time: number): object {
  return {
    type: 'PULL_ARTIFACT',
    occur_at: Math.floor(time / 1_000),
    operator: 'alice',
    event_data: {
      resources: [{ digest, tag: 'v1', resource_url: 'harbor.example.org/visible/app:v1' }],
      repository: { name: 'app', namespace: 'visible', repo_full_name: 'visible/app', repo_type: 'public' },
    },
  };
}

export function zotScan(id: string): object {
  return {
    specversion: '1.0',
    type: 'zotregistry.image.scanned',
    source: 'zotregistry.dev',
    id,
    data: { name: 'visible/app', reference: 'v1' },
  };
}
