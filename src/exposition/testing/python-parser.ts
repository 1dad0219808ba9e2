import { spawnSync } from 'node:child_process';

/** A sample from the reference parser. */
export interface ReadSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** As text, because JSON has no NaN. */
  readonly value: string;
}

export interface PythonText {
  readonly format: 'openmetrics' | 'text';
  readonly text: string;
}

const script = `
import json, sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as text
answers = []
for case in json.load(sys.stdin):
    parse = openmetrics if case['format'] == 'openmetrics' else text
    try:
        answers.append({'samples': [
            {'name': s.name, 'labels': s.labels, 'value': repr(float(s.value))}
            for family in parse(case['text']) for s in family.samples]})
    except Exception as error:
        answers.append({'error': repr(error)})
json.dump(answers, sys.stdout)
`;

/**
 * Parses expositions with the parser of Debian's python3-prometheus-client, which is strict for OpenMetrics. Throws if
 * the package is not installed or a text is rejected.
 */
export function readWithPython(texts: readonly PythonText[]): ReadSample[][] {
  return answersOf(texts).map(({ samples, error }, index) => {
    if (samples === undefined) throw new Error(`rejected: ${error}\n${texts[index]?.text}`);
    return samples;
  });
}

/** Whether that parser accepts each of these texts as OpenMetrics. */
export function acceptedByPython(texts: readonly string[]): boolean[] {
  const asked = texts.map((text) => ({ format: 'openmetrics', text }) as const);
  return answersOf(asked).map(({ samples }) => samples !== undefined);
}

interface PythonAnswer {
  readonly samples?: ReadSample[];
  readonly error?: string;
}

function answersOf(texts: readonly PythonText[]): readonly PythonAnswer[] {
  const run = spawnSync('/usr/bin/python3', ['-c', script], {
    input: JSON.stringify(texts),
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
  });
  if (run.status !== 0) {
    throw new Error(
      `/usr/bin/python3 with the package python3-prometheus-client is needed: ${run.stderr}${run.error ?? ''}`,
    );
  }
  return JSON.parse(run.stdout) as readonly PythonAnswer[];
}
