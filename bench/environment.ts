/** What a figure must be read together with: machine, versions, commit, and who else was busy. */

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release, totalmem, type } from 'node:os';
import { sampleBusyShare } from './harness/machine-load.ts';

export interface Environment {
  readonly cpuModel: string;
  readonly coreCount: number;
  /** Whether the CPU has SHA-256 instructions; `undefined` where the system does not tell. */
  readonly shaInstructions: boolean | undefined;
  readonly memoryBytes: number;
  readonly kernel: string;
  readonly node: string;
  readonly openssl: string;
  readonly packages: Readonly<Record<string, string>>;
  readonly commit: string;
  readonly dirty: boolean;
  /** Share of all cores that was busy in the second before the first run. */
  readonly busyShareBefore: number;
  readonly loadAverage: readonly number[];
}

const PACKAGES = ['@aws-sdk/client-ecr', 'hash-wasm', 'piscina', 'tinybench'];
const ROOT = new URL('../', import.meta.url);
const IDLE_SAMPLE_MS = 1000;

/** Takes the fingerprint; waits a second to see how busy the machine is. */
export async function readEnvironment(): Promise<Environment> {
  const [first] = cpus();
  const busyShareBefore = await sampleBusyShare(IDLE_SAMPLE_MS);
  return {
    cpuModel: first?.model.trim() ?? 'unknown',
    coreCount: availableParallelism(),
    shaInstructions: readShaInstructions(),
    memoryBytes: totalmem(),
    kernel: `${type()} ${release()}`,
    node: process.version,
    openssl: process.versions.openssl,
    packages: Object.fromEntries(PACKAGES.map((name) => [name, packageVersion(name)])),
    commit: git('rev-parse', '--short=12', 'HEAD'),
    dirty: git('status', '--porcelain', '--', 'src', 'workers', 'bench', 'package.json') !== '',
    busyShareBefore,
    loadAverage: loadavg(),
  };
}

/** The fingerprint as one paragraph above the tables. */
export function formatEnvironment(environment: Environment): string {
  const { shaInstructions: sha } = environment;
  const packages = Object.entries(environment.packages).map(
    ([name, version]) => `${name} ${version}`,
  );
  return [
    `${environment.cpuModel}, ${environment.coreCount} cores`,
    `SHA instructions ${sha === undefined ? 'unknown' : sha ? 'yes' : 'no'}`,
    `${Math.round(environment.memoryBytes / 2 ** 30)} GiB`,
    environment.kernel,
    `Node ${environment.node} (OpenSSL ${environment.openssl})`,
    packages.join(', '),
    `commit ${environment.commit}${environment.dirty ? ' with changes' : ''}`,
    `${(environment.busyShareBefore * 100).toFixed(0)} % of the cores busy before the start`,
  ].join('; ');
}

function readShaInstructions(): boolean | undefined {
  try {
    const text = readFileSync('/proc/cpuinfo', 'utf8');
    // x86 lists `sha_ni`, arm64 lists `sha2`.
    return /^(?:flags|Features)\s*:.*\b(?:sha_ni|sha2)\b/m.test(text);
  } catch {
    return undefined;
  }
}

function packageVersion(name: string): string {
  try {
    const text = readFileSync(new URL(`node_modules/${name}/package.json`, ROOT), 'utf8');
    return (JSON.parse(text) as { readonly version?: string }).version ?? 'unknown';
  } catch {
    return 'absent';
  }
}

function git(...args: readonly string[]): string {
  const result = spawnSync('git', args, { cwd: ROOT, encoding: 'utf8' });
  return result.status === 0 ? result.stdout.trim() : 'unknown';
}
