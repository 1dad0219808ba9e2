import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileErrorReason, limits, messageOf, TonnageError } from '../base/index.ts';
import type { Config, ConfigModel } from './schema.ts';
import { ConfigError } from './problems.ts';
import { readConfig, type ConfigFile, type ReadOptions } from './read.ts';

export interface LoadOptions extends Pick<ReadOptions, 'environment' | 'flags' | 'defaults'> {
  /** Path of the configuration file, absolute or relative to the working directory. */
  readonly file?: string;
  /** Default: the working directory of the process. */
  readonly workingDirectory?: string;
}

/** Reads a text file. Throws `config_invalid`, whose message continues a sentence that begins with the file's name. */
function readText(path: string, bytesMax: number): string {
  let bytes: Buffer | undefined;
  try {
    const file = openSync(path, 'r');
    try {
      // The size of a pipe is not known before, and a file may grow meanwhile, so check the bytes that were read too.
      bytes = fstatSync(file).size > bytesMax ? undefined : readFileSync(file);
    } finally {
      closeSync(file);
    }
  } catch (thrown) {
    throw new TonnageError('config_invalid', `cannot be read: ${fileErrorReason(thrown)}`, { cause: thrown });
  }
  if (bytes === undefined || bytes.length > bytesMax) {
    throw new TonnageError('config_invalid', `is larger than the ${bytesMax} bytes that are allowed`);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new TonnageError('config_invalid', 'is expected to be UTF-8 text, but contains other bytes', { cause });
  }
}

function readFile(file: string, workingDirectory: string): ConfigFile {
  if (file === '') {
    const message = 'expected the name of a file, but came ""';
    throw new ConfigError([{ origin: { kind: 'flag', name: 'configuration file' }, path: [], message }]);
  }
  const path = resolve(workingDirectory, file);
  try {
    return { name: file, text: readText(path, limits.configBytesMax), directory: dirname(path) };
  } catch (thrown) {
    throw new ConfigError([{ origin: { kind: 'whole-file', file }, path: [], message: messageOf(thrown) }]);
  }
}

/**
 * Reads the configuration file, if one is stated, and returns the configuration of this process. Throws `ConfigError`, whose
 * problems name file, line, column and key. No other part of this folder reads files.
 */
export function loadConfig(options: LoadOptions, model: ConfigModel): Config {
  const workingDirectory = options.workingDirectory ?? process.cwd();
  const { file: path, ...layers } = options;
  const file = path === undefined ? undefined : readFile(path, workingDirectory);
  const readSecret = (secretFile: string, directory: string): string =>
    readText(resolve(directory, secretFile), limits.secretFileBytesMax);
  return readConfig({ ...layers, ...(file && { file }), workingDirectory, readSecret }, model);
}
