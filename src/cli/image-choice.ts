/** Makes the image source that a command line describes. Whatever is wrong with it is found here. */

import { existsSync } from 'node:fs';
import type { ImageSource } from '../index.ts';
import { blobPathsOf } from './blob-paths.ts';
import type { CliContext } from './context.ts';
import type { ImageConstructors } from './image-constructors.ts';
import type { ImageFlags } from './image-flags.ts';
import { type ImageLocation, parseImageLocation, STANDARD_INPUT } from './image-location.ts';
import { readPassword } from './password.ts';
import { readCertificates } from './uploader-flags.ts';
import { UsageError } from './usage-error.ts';

type World = Pick<CliContext, 'stdin' | 'stdinIsTerminal' | 'platform' | 'loadImages'>;

export interface ChosenImage {
  readonly image: ImageSource;
  /** Whether standard input is read for it, and has to be given up in the end. */
  readonly usesStdin: boolean;
}

/** @throws UsageError */
export async function chooseImage(
  context: World,
  word: string | undefined,
  flags: ImageFlags,
): Promise<ChosenImage> {
  if (flags.manifest !== undefined) return chooseManifest(context, word, flags.manifest, flags);
  refuse(flags, ['blob', 'blobDirectory'], '--manifest');
  if (word === undefined) throw new UsageError('SOURCE is missing');
  const { platform } = context;
  const location = parseImageLocation(word, { exists: existsSync, platform });
  if (location.kind === 'registry') {
    refuse(flags, ['reference', 'imageDigest'], 'an OCI layout or an archive');
    const options = await registryOptionsOf(context, flags);
    const { registryImage } = await context.loadImages();
    const usesStdin = flags.sourcePasswordStdin === true;
    return { image: registryImage(location.reference, options), usesStdin };
  }
  refuse(flags, SOURCE_REGISTRY_FLAGS, 'a registry as SOURCE');
  const usesStdin = location.path === STANDARD_INPUT;
  if (usesStdin && context.stdinIsTerminal) {
    throw new UsageError('standard input (-) is a terminal; pipe the archive into it');
  }
  return { image: openLocal(context, await context.loadImages(), location, flags), usesStdin };
}

type LocalLocation = Exclude<ImageLocation, { readonly kind: 'registry' }>;

const SOURCE_REGISTRY_FLAGS = [
  'sourceUsername',
  'sourcePasswordStdin',
  'sourcePlainHttp',
  'sourceCaFile',
] as const;

/** Named as on the command line. */
const FLAG: { readonly [Name in keyof ImageFlags]?: string } = {
  reference: '--reference',
  imageDigest: '--image-digest',
  blob: '--blob',
  blobDirectory: '--blob-directory',
  sourceUsername: '--source-username',
  sourcePasswordStdin: '--source-password-stdin',
  sourcePlainHttp: '--source-plain-http',
  sourceCaFile: '--source-ca-file',
};

function refuse(flags: ImageFlags, names: readonly (keyof ImageFlags)[], owner: string): void {
  const given = names.find((name) => flags[name] !== undefined);
  if (given !== undefined) throw new UsageError(`${FLAG[given] ?? given} belongs to ${owner}`);
}

async function chooseManifest(
  context: World,
  word: string | undefined,
  manifest: string,
  flags: ImageFlags,
): Promise<ChosenImage> {
  if (word !== undefined) {
    throw new UsageError(`--manifest tells the image, so SOURCE (${word}) must not be given`);
  }
  refuse(flags, ['reference', 'imageDigest'], 'an OCI layout or an archive');
  refuse(flags, SOURCE_REGISTRY_FLAGS, 'a registry as SOURCE');
  const blobs = blobPathsOf(flags.blob ?? [], flags.blobDirectory);
  const { manifestImage } = await context.loadImages();
  return { image: manifestImage({ manifest, blobs }), usesStdin: false };
}

function openLocal(
  context: World,
  images: ImageConstructors,
  location: LocalLocation,
  flags: ImageFlags,
): ImageSource {
  const inWord = location.kind === 'local' ? undefined : location.reference;
  if (inWord !== undefined && flags.reference !== undefined) {
    throw new UsageError(`--reference is ${flags.reference}, but SOURCE says ${inWord}`);
  }
  const reference = inWord ?? flags.reference;
  const choice = {
    ...(reference !== undefined && { reference }),
    ...(flags.imageDigest !== undefined && { digest: flags.imageDigest }),
  };
  const { path } = location;
  if (location.kind === 'layout') return images.ociLayoutImage(path, choice);
  if (location.kind === 'local') return images.localImage(path, choice);
  const { format = 'auto' } = location;
  if (path !== STANDARD_INPUT) return images.archiveImage(path, { format, ...choice });
  return images.archiveImage(context.stdin, { format, label: 'standard input', ...choice });
}

async function registryOptionsOf(
  context: World,
  flags: ImageFlags,
): Promise<Parameters<ImageConstructors['registryImage']>[1]> {
  const { sourceUsername: username, sourcePlainHttp: plainHttp, sourceCaFile } = flags;
  if ((username === undefined) !== (flags.sourcePasswordStdin === undefined)) {
    throw new UsageError('--source-username and --source-password-stdin belong together');
  }
  return {
    ...(plainHttp !== undefined && { plainHttp }),
    ...(sourceCaFile !== undefined && {
      certificateAuthorities: readCertificates('--source-ca-file', sourceCaFile),
    }),
    credentials:
      username === undefined
        ? (await context.loadImages()).ecrCredentials()
        : { username, password: await readPassword(context) },
  };
}
