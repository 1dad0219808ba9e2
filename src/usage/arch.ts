/** The architectures that Go knows (its `internal/syslist`), which OCI images name theirs by. */
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

/** Other names under which clients and images know an OCI architecture. */
const aliases: ReadonlyMap<string, string> = new Map([
  ['x86_64', 'amd64'],
  ['x86-64', 'amd64'],
  ['aarch64', 'arm64'],
]);

/**
 * The architecture as the `arch` dimension has it: the OCI (GOARCH) name in lower case, aliases folded, without
 * variant, `[a-z0-9]{1,32}`. `undefined` for `unknown`, for nothing, and for what is no architecture.
 */
export function canonicalArch(architecture: string | undefined): string | undefined {
  // Other letters can have an ASCII one as lower case (U+212A, the Kelvin sign, has k): these are no architectures.
  if (architecture === undefined || !/^[A-Za-z0-9_-]{1,32}$/.test(architecture)) return undefined;
  const name = architecture.toLowerCase();
  const folded = aliases.get(name) ?? name;
  return folded !== 'unknown' && /^[a-z0-9]+$/.test(folded) ? folded : undefined;
}
