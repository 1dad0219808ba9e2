import type { Config } from '../schema.ts';
import { ConfigError, formatProblem } from '../problems.ts';
import { readConfig, type ReadOptions } from '../read.ts';

/** Reads `text` as the file `/etc/tonnage/c.yaml`, in a directory with the files of `secrets`. Absent: there is no file. */
export function readText(
  text: string | undefined,
  options: Partial<ReadOptions> & { readonly secrets?: Readonly<Record<string, string>> } = {},
): Config {
  const { secrets = {}, ...rest } = options;
  return readConfig({
    ...(text !== undefined && { file: { name: 'c.yaml', text, directory: '/etc/tonnage' } }),
    environment: {},
    workingDirectory: '/srv',
    readSecret: (file) => {
      const content = secrets[file];
      if (content === undefined) throw new Error('cannot be read: there is no such file or directory');
      return content;
    },
    ...rest,
  });
}

/** The lines of the error for `text`; empty if it is valid. */
export function problemsOf(...parameters: Parameters<typeof readText>): readonly string[] {
  try {
    readText(...parameters);
    return [];
  } catch (thrown) {
    if (thrown instanceof ConfigError) return thrown.problems.map(formatProblem);
    throw thrown;
  }
}
