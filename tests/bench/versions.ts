import { readFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';

/** What the figures depend on, one per line. `lockfile`: the versions that are installed. */
export function versions(chromium: string, lockfile: string): string {
  const [cpu] = cpus();
  return [
    `machine   ${String(cpus().length)} × ${cpu?.model ?? 'unknown'}, ${(totalmem() / 1024 ** 3).toFixed(0)} GiB, Linux ${release()}`,
    `browser   ${chromium}`,
    `servers   Node ${process.version}: broker, local cloud`,
    `beside    ${RIVALS.map((name) => `${name} ${installed(lockfile, name)}`).join(', ')}`,
  ].join('\n');
}

const RIVALS = ['libsodium-wrappers', '@aws-crypto/client-browser', 'openpgp', 'age-encryption'] as const;

function installed(lockfile: string, name: string): string {
  const { packages } = JSON.parse(readFileSync(lockfile, 'utf8')) as {
    packages: Record<string, { version?: string }>;
  };
  return packages[`node_modules/${name}`]?.version ?? 'unknown';
}
