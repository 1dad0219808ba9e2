/** Pages that once were `docs/NAME.md`, by the part of `docs/` that holds them now. Never remove a name: people follow old links. */
const moved: Readonly<Record<string, readonly string[]>> = {
  guides: ['collectors', 'events', 'gateway', 'identity', 'tokens', 'wave'],
  operations: ['ledger', 'operations', 'redis'],
  reference: ['cli', 'configuration', 'errors', 'exposition', 'limits', 'metrics', 'usage-api'],
};

/** A page at each old address that links to the new one. A Git host follows no redirect, so a page must do. */
export function movedPages(): readonly { readonly path: string; readonly text: string }[] {
  return Object.entries(moved).flatMap(([part, names]) =>
    names.map((name) => ({
      path: `docs/${name}.md`,
      text: `# This page has moved\n\nIt is now [docs/${part}/${name}.md](${part}/${name}.md).\n`,
    })),
  );
}
