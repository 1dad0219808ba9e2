import { runTool, tools } from '../test/tools.ts';

/** One import that breaks a rule of `.dependency-cruiser.mjs`. */
export interface Violation {
  readonly from: string;
  readonly to: string;
  readonly rule: { readonly name: string };
  /** Of a cycle: the files from `to` back to `from`. */
  readonly cycle?: readonly { readonly name: string }[];
}

/** One source file and what it imports, both relative to the root of the tree. */
export interface CruisedModule {
  readonly source: string;
  readonly dependencies: readonly { readonly resolved: string; readonly dependencyTypes: readonly string[] }[];
}

/** The part of the cruiser's result that is used here. */
export interface Cruise {
  readonly modules: readonly CruisedModule[];
  readonly summary: { readonly violations: readonly Violation[]; readonly totalDependenciesCruised: number };
}

/**
 * Reads the imports of `src/` below `folder` and checks them against the rules in that folder. Rejects if the cruiser does
 * not work: without a parser for TypeScript it would see no imports, and so report no breach.
 */
export async function cruise(folder: string): Promise<Cruise> {
  const args = ['src', '--config', '.dependency-cruiser.mjs', '--output-type', 'json'];
  const { output } = await runTool(tools.depcruise, args, { cwd: folder });
  const start = output.indexOf('{');
  if (start < 0) throw new Error(`dependency-cruiser failed:\n${output}`);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the installed dependency-cruiser's own format
  const result = JSON.parse(output.slice(start, output.lastIndexOf('}') + 1)) as Cruise;
  if (result.summary.totalDependenciesCruised === 0) throw new Error('dependency-cruiser saw no imports in src/');
  return result;
}
