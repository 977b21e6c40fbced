/** What the embedding tests have in common: an emulator, and how a program says it went. */

import { createHash } from 'node:crypto';
import { expect } from 'vitest';
import { startEmulator } from '../../src/emulator/index.ts';
import type { Emulator } from '../../src/emulator/index.ts';
import type { LayerReceipt, UploaderOptions } from '../../src/index.ts';
import { MIB } from '../../src/limits.ts';
import type { ProgramResult } from './child-program.ts';
import { runNode } from './child-program.ts';

const LAYER_SIZE_BYTES = 11 * MIB;
const PART_SIZE_BYTES = 5 * MIB;
const PART_COUNT = 3;

export function startStrictEmulator(): Promise<Emulator> {
  return startEmulator({ region: 'eu-central-1' });
}

export interface EmbeddedRun {
  readonly program: string;
  readonly cwd: string;
  readonly emulator: Emulator;
  readonly options?: UploaderOptions;
  readonly node?: string;
}

/** Runs a program that uploads two layers; it finds the emulator by AWS's own settings. */
export function runUpload({
  program,
  cwd,
  emulator,
  options = {},
  node,
}: EmbeddedRun): Promise<ProgramResult> {
  const { endpoint, credentials } = emulator;
  return runNode([program], {
    cwd,
    ...(node !== undefined && { node }),
    env: {
      AWS_ENDPOINT_URL_ECR: endpoint,
      AWS_REGION: 'eu-central-1',
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      LAYER_SIZE_BYTES: String(LAYER_SIZE_BYTES),
      UPLOADER_OPTIONS: JSON.stringify({ partSizeBytes: PART_SIZE_BYTES, ...options }),
    },
  });
}

/** The program ended by itself and both layers arrived: the emulator hashes what it receives. */
export function expectUploaded(result: ProgramResult): void {
  expect(result).toMatchObject({ exitCode: 0, stderr: '' });
  const { receipts } = JSON.parse(result.stdout) as { readonly receipts: readonly LayerReceipt[] };
  expect(receipts).toMatchObject(
    [1, 2].map((fill) => ({
      digest: `sha256:${digestOf(fill)}`,
      sizeBytes: LAYER_SIZE_BYTES,
      partCount: PART_COUNT,
      outcome: 'uploaded',
    })),
  );
}

/** The program ended by itself and told why nothing was uploaded. */
export function expectWorkerNotFound(result: ProgramResult): void {
  expect(result).toMatchObject({ exitCode: 0, stderr: '' });
  const { failure } = JSON.parse(result.stdout) as {
    readonly failure: { readonly code: string; readonly message: string };
  };
  expect(failure.code).toBe('E_WORKER_NOT_FOUND');
  expect(failure.message).toMatch(/external/);
  expect(failure.message).toMatch(/workerUrl/);
}

function digestOf(fill: number): string {
  return createHash('sha256').update(Buffer.alloc(LAYER_SIZE_BYTES, fill)).digest('hex');
}
