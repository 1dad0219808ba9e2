import { ConfigError, formatProblem } from '../problems.ts';
import type { ReadOptions } from '../read.ts';
import { createConfigReader, type ConfigReader } from '../reader.ts';
import type { Config } from '../schema.ts';

const withoutDrivers = createConfigReader({});

interface TextOptions extends Partial<ReadOptions> {
  readonly secrets?: Readonly<Record<string, string>>;
  /** Default: a reader without drivers of sources. */
  readonly reader?: ConfigReader;
}

/** Reads `text` as the file `/etc/tonnage/c.yaml`, in a directory with the files of `secrets`. Absent: there is no file. */
export function readText(
  text: string | undefined,
  { secrets = {}, reader = withoutDrivers, ...rest }: TextOptions = {},
): Config {
  return reader.read({
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

/** The configuration, printed by a reader without drivers of sources. */
export function printed(config: Config): string {
  return withoutDrivers.print(config);
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
