import { labelSet, noLabels, type InfoFamily } from '../../../metric/index.ts';

/** Versions as infos: of this program, and of Node.js with everything that it is made of. */
export function versionFamilies(version: string): readonly InfoFamily[] {
  const [major = '', minor = '', patch = ''] = process.versions.node.split('.');
  const parts: Record<string, string> = {};
  for (const [name, value = ''] of Object.entries(process.versions)) {
    // A part that was not built in has no version, and an empty label is a label that is not there.
    if (value !== '') parts[name.replace(/\W/g, '_')] = value;
  }
  return [
    info('tonnage_build', 'Version of this program.', { version }),
    info('nodejs_version', 'Version of Node.js, and of the parts that it is made of.', {
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
