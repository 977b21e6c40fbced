/** An image for two platforms, made by umoci of the files of Debian packages on this machine. */

import { cp, lstat, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type CommandResult, run } from '../emulator/foreign-client.ts';

/** Small packages that every Debian system has; a layer each. */
const PACKAGES = ['tzdata', 'perl-base', 'bash'] as const;
export const PLATFORMS = ['amd64', 'arm64'] as const;

interface Manifest {
  readonly config: { readonly digest: string };
  readonly layers: readonly { readonly digest: string }[];
}

/** Writes an OCI layout with the entries `amd64` and `arm64`, which share all layers but the last. */
export async function buildDebianImage(folder: string): Promise<string> {
  const layout = join(folder, 'debian');
  const image = `${layout}:amd64`;
  await must('umoci', 'init', '--layout', layout);
  await must('umoci', 'new', '--image', image);
  for (const name of PACKAGES) {
    const root = join(folder, `root-${name}`);
    if ((await copyPackage(name, root)) > 0) {
      await must('umoci', 'insert', '--rootless', '--image', image, root, '/');
    }
  }
  await must('umoci', 'config', '--image', image, '--os', 'linux', '--architecture', 'amd64');
  const arm64 = ['--tag', 'arm64', '--architecture', 'arm64'];
  await must('umoci', 'config', '--image', image, ...arm64);
  for (const platform of PLATFORMS) {
    const root = join(folder, `root-${platform}`);
    await mkdir(root);
    await writeFile(join(root, 'platform'), platform);
    await must('umoci', 'insert', '--rootless', '--image', `${layout}:${platform}`, root, '/');
  }
  return layout;
}

/** Blobs of one entry of the layout: config and layers. */
export async function blobsOf(layout: string, reference: string): Promise<string[]> {
  const { stdout } = await must('skopeo', 'inspect', '--raw', `oci:${layout}:${reference}`);
  const { config, layers } = JSON.parse(stdout) as Manifest;
  return [config, ...layers].map(({ digest }) => digest);
}

export function readBlob(layout: string, digest: string): Promise<Buffer> {
  return readFile(join(layout, 'blobs', ...digest.split(':')));
}

/** Runs a program that has to succeed. */
export async function must(program: string, ...args: string[]): Promise<CommandResult> {
  const result = await run(program, args);
  if (!result.isOk) throw new Error(`${program} ${args.join(' ')}: ${result.stderr}`);
  return result;
}

/** Copies the regular files of an installed package; resolves with how many there are. */
async function copyPackage(name: string, root: string): Promise<number> {
  const { stdout } = await must('dpkg', '-L', name);
  let fileCount = 0;
  for (const path of stdout.split('\n')) {
    const found = path === '' ? undefined : await lstat(path).catch(() => undefined);
    if (found?.isFile() !== true) continue;
    const target = join(root, path);
    await mkdir(dirname(target), { recursive: true });
    await cp(path, target, { preserveTimestamps: true });
    fileCount += 1;
  }
  if (fileCount > 0) await writeFile(join(root, 'package-name'), name);
  return fileCount;
}
