import { labelSet, noLabels, type InfoFamily } from '../../../metric/index.ts';

/** Versions of this program, of Node.js and of its components. */
export function versionFamilies(version: string): readonly InfoFamily[] {
  const [major = '', minor = '', patch = ''] = process.versions.node.split('.');
  const parts: Record<string, string> = {};
  for (const [name, value = ''] of Object.entries(process.versions)) {
    // A component that is not built in has no version, and an empty label value means no label.
    if (value !== '') parts[name.replace(/\W/g, '_')] = value;
  }
  return [
    info('tonnage_build', 'Version of this program.', { version }),
    info('nodejs_version', 'Versions of Node.js and its components.', {
      version: process.version,
      major,
      minor,
      patch,
      ...parts,
    }),
  ];
}

function info(name: string, help: string, facts: Readonly<Record<string, string>>): InfoFamily {
  return { type: 'info', name, help, points: [{ labels: noLabels, info: labelSet(facts) }] };
}
