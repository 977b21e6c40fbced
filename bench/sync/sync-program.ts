/** Programs that copy repositories from one registry to another: how each is called, from its documentation. */

import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { SyncTargetAddress } from './sync-protocol.ts';

/** What is to be copied: `SOURCE/team/app` becomes `TARGET/app`, all tags and platforms. */
export interface SyncTask {
  readonly source: string;
  readonly target: SyncTargetAddress;
  readonly repositories: readonly string[];
  /** Whether the target keeps to ECR's quotas. */
  readonly quotas: boolean;
  /** Of this run alone. */
  readonly folder: string;
}

export interface SyncCommand {
  readonly file: string;
  readonly parameters: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Content by name, written into the task's folder first. */
  readonly files: Readonly<Record<string, string>>;
  /** Whether its memory can be told: not where a shell starts one process after the other. */
  readonly isOneProcess: boolean;
}

export interface SyncProgram {
  readonly name: string;
  readonly summary: string;
  readonly command: (task: SyncTask) => SyncCommand;
}

/** Far above what the machine can do: the same as asking for higher quotas. */
const RAISED_RATE = 100_000;
const RAISED_OPERATIONS = [
  'InitiateLayerUpload',
  'UploadLayerPart',
  'CompleteLayerUpload',
  'PutImage',
] as const;

/** @param main of the compiled command line */
export function longshoreProgram(main: string): SyncProgram {
  return {
    name: 'longshore',
    summary: '`longshore sync`, no options; where there are no quotas, with rates raised',
    command: ({ source, target, repositories, quotas, folder }) => {
      const { endpoint, region, environment } = target;
      const rates = Object.fromEntries(RAISED_OPERATIONS.map((name) => [name, RAISED_RATE]));
      const { AWS_ENDPOINT_URL_ECR: _, ...variables } = environment;
      const config = {
        version: 1,
        targets: {
          emulator: { endpoint, region, ...(!quotas && { callsPerSecondMax: rates }) },
        },
        mappings: [
          {
            from: repositories.map((name) => `${source}/${name}`),
            to: '{name}',
            createRepository: true,
          },
        ],
      };
      return {
        file: process.execPath,
        parameters: [
          main,
          'sync',
          join(folder, 'sync.yaml'),
          '--report',
          join(folder, 'report.json'),
        ],
        environment: { ...variables, AWS_EC2_METADATA_DISABLED: 'true' },
        files: { 'sync.yaml': JSON.stringify(config) },
        isOneProcess: true,
      };
    },
  };
}

const SKOPEO: SyncProgram = {
  name: 'skopeo',
  summary: '`skopeo sync --all --keep-going`',
  command: ({ source, target, repositories, folder }) => ({
    file: 'skopeo',
    parameters: [
      // Containers' signature policy is a file of the system that may be missing.
      '--insecure-policy',
      'sync',
      '--all',
      '--keep-going',
      '--src=yaml',
      '--dest=docker',
      '--dest-tls-verify=false',
      '--dest-authfile',
      join(folder, 'config.json'),
      join(folder, 'sync.yaml'),
      target.host,
    ],
    files: {
      'config.json': dockerLogin(target),
      'sync.yaml': JSON.stringify({
        [source]: {
          'tls-verify': false,
          images: Object.fromEntries(repositories.map((name) => [name, []])),
        },
      }),
    },
    isOneProcess: true,
  }),
};

const CRANE: SyncProgram = {
  name: 'crane',
  summary: '`crane copy --all-tags`, one repository after the other',
  command: ({ source, target, repositories, folder }) => ({
    file: '/bin/sh',
    parameters: [
      '-c',
      'code=0; for name; do crane copy --all-tags --insecure "$SOURCE/$name" "$TARGET/${name##*/}" || code=1; done; exit $code',
      'crane',
      ...repositories,
    ],
    environment: { SOURCE: source, TARGET: target.host, DOCKER_CONFIG: folder },
    files: { 'config.json': dockerLogin(target) },
    isOneProcess: false,
  }),
};

const REGSYNC: SyncProgram = {
  name: 'regsync',
  summary: '`regsync once`',
  command: ({ source, target, repositories, folder }) => ({
    file: 'regsync',
    parameters: ['once', '--config', join(folder, 'regsync.yaml')],
    files: {
      'regsync.yaml': JSON.stringify({
        version: 1,
        creds: [
          { registry: source, tls: 'disabled' },
          {
            registry: target.host,
            tls: 'disabled',
            user: target.username,
            pass: target.password,
          },
        ],
        sync: repositories.map((name) => ({
          source: `${source}/${name}`,
          target: `${target.host}/${lastOf(name)}`,
          type: 'repository',
        })),
      }),
    },
    isOneProcess: true,
  }),
};

const RIVALS: readonly { readonly program: SyncProgram; readonly executable: string }[] = [
  { program: SKOPEO, executable: 'skopeo' },
  { program: CRANE, executable: 'crane' },
  { program: REGSYNC, executable: 'regsync' },
];

/** Those on `PATH`, and a sentence for each that is missing. */
export function findRivals(path: string = process.env['PATH'] ?? ''): {
  readonly found: readonly SyncProgram[];
  readonly notes: readonly string[];
} {
  const isThere = (executable: string): boolean =>
    path.split(delimiter).some((folder) => isExecutable(join(folder, executable)));
  const [here, missing] = [true, false].map((wanted) =>
    RIVALS.filter(({ executable }) => isThere(executable) === wanted),
  );
  return {
    found: (here ?? []).map(({ program }) => program),
    notes: (missing ?? []).map(({ executable }) => `${executable} is missing on PATH`),
  };
}

/** The repository in the target. */
export function lastOf(repository: string): string {
  return repository.slice(repository.lastIndexOf('/') + 1);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** What `docker login` leaves behind. */
function dockerLogin({ host, username, password }: SyncTargetAddress): string {
  const auth = Buffer.from(`${username}:${password}`).toString('base64');
  return JSON.stringify({ auths: { [host]: { auth } } });
}
