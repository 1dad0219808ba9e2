/** Architectures of Go (its `internal/syslist`). OCI images use these names. */
export const knownArchitectures: readonly string[] = [
  '386',
  'amd64',
  'amd64p32',
  'arm',
  'arm64',
  'arm64be',
  'armbe',
  'loong64',
  'mips',
  'mips64',
  'mips64le',
  'mips64p32',
  'mips64p32le',
  'mipsle',
  'ppc',
  'ppc64',
  'ppc64le',
  'riscv',
  'riscv64',
  's390',
  's390x',
  'sparc',
  'sparc64',
  'wasm',
];

/** Other names of OCI architectures in clients and images. */
const aliases: ReadonlyMap<string, string> = new Map([
  ['x86_64', 'amd64'],
  ['x86-64', 'amd64'],
  ['aarch64', 'arm64'],
]);

/**
 * The canonical value of the dimension `arch`: the OCI (GOARCH) name in lower case, without variant, `[a-z0-9]{1,32}`.
 * Replaces aliases. `undefined` for `undefined`, `unknown`, and text that is not an architecture.
 */
export function canonicalArch(architecture: string | undefined): string | undefined {
  // Check for ASCII first: some other letters have an ASCII lower case (U+212A, the Kelvin sign, has k).
  if (architecture === undefined || !/^[A-Za-z0-9_-]{1,32}$/.test(architecture)) return undefined;
  const name = architecture.toLowerCase();
  const canonical = aliases.get(name) ?? name;
  return canonical !== 'unknown' && /^[a-z0-9]+$/.test(canonical) ? canonical : undefined;
}
