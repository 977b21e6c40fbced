/** ECR behind the layer room's port: one call each, no retries, faults as data. */

import type { UploadLayerPartCommandOutput } from '@aws-sdk/client-ecr';
import { type Digest, isDigest } from '../digest.ts';
import { PART_SIZE_REPORTED_BYTES } from '../limits.ts';
import { writePhase } from '../layer/part-phase.ts';
import {
  type LayerRegistry,
  type PreparedPart,
  RegistryFault,
  type UploadTarget,
} from '../layer/ports.ts';
import type { CallContext } from './call-context.ts';
import { type CallTally, type Ecr, type EcrCaller, wrongReply } from './ecr-caller.ts';
import type { PartOptions } from './request-handler.ts';

/** Settings of a repository that is created; ECR's defaults where there are none. */
export type NewRepository = boolean | Readonly<Record<string, unknown>>;

export class EcrRegistry implements LayerRegistry {
  readonly #caller: EcrCaller;
  readonly #repositorySettings: Readonly<Record<string, unknown>>;
  readonly #tally: CallTally | undefined;

  /**
   * @param newRepository whether one may be created is the caller's business
   * @param tally where calls are counted
   */
  constructor(caller: EcrCaller, newRepository: NewRepository, tally?: CallTally) {
    this.#caller = caller;
    this.#repositorySettings = typeof newRepository === 'object' ? newRepository : {};
    this.#tally = tally;
  }

  async hasLayer(repository: string, digest: Digest, signal: AbortSignal): Promise<boolean> {
    const context = { operation: 'BatchCheckLayerAvailability', repository };
    const reply = await this.#call(context, signal, ({ client, sdk }) =>
      client.send(
        new sdk.BatchCheckLayerAvailabilityCommand({
          ...this.#caller.registry,
          repositoryName: repository,
          layerDigests: [digest],
        }),
        { abortSignal: signal },
      ),
    );
    const layer = reply.layers?.find(({ layerDigest }) => layerDigest === digest);
    if (layer === undefined) {
      const failure = reply.failures?.[0];
      // ECR lists absent layers as unavailable (M-H); the model has this code for them as well.
      if (failure?.failureCode === 'MissingLayerDigest') return false;
      throw wrongReply(context, `an entry for ${digest}`, failure?.failureReason ?? 'none');
    }
    return layer.layerAvailability === 'AVAILABLE';
  }

  async createRepository(repository: string, signal: AbortSignal): Promise<boolean> {
    const context = { operation: 'CreateRepository', repository };
    try {
      await this.#call(context, signal, ({ client, sdk }) =>
        client.send(
          new sdk.CreateRepositoryCommand({
            ...this.#repositorySettings,
            ...this.#caller.registry,
            repositoryName: repository,
          }),
          { abortSignal: signal },
        ),
      );
      return true;
    } catch (error) {
      if (error instanceof RegistryFault && error.kind === 'already-exists') return false;
      throw error;
    }
  }

  async initiateUpload(
    repository: string,
    signal: AbortSignal,
  ): Promise<{ readonly uploadId: string; readonly partSizeBytes: number }> {
    const context = { operation: 'InitiateLayerUpload', repository };
    const { uploadId, partSize } = await this.#call(context, signal, ({ client, sdk }) =>
      client.send(
        new sdk.InitiateLayerUploadCommand({
          ...this.#caller.registry,
          repositoryName: repository,
        }),
        { abortSignal: signal },
      ),
    );
    if (uploadId === undefined || uploadId === '') throw wrongReply(context, 'an uploadId', 'none');
    return { uploadId, partSizeBytes: partSize ?? PART_SIZE_REPORTED_BYTES };
  }

  async sendPart(
    target: UploadTarget,
    part: PreparedPart,
    gate: Promise<void> | undefined,
    signal: AbortSignal,
  ): Promise<number> {
    const { repository, uploadId } = target;
    const context = { operation: 'UploadLayerPart', repository, uploadId, range: part };
    // A request that is signed after all, when its time is over, must not be sent any more.
    const late = new AbortController();
    let onHanded: () => void = () => undefined;
    const handed = new Promise<void>((resolve) => {
      onHanded = resolve;
    });
    const send = ({ client, sdk }: Ecr): Promise<UploadLayerPartCommandOutput> => {
      writePhase(part.shared, 'credentials');
      const command = new sdk.UploadLayerPartCommand({
        repositoryName: repository,
        uploadId,
        partFirstByte: part.firstByte,
        partLastByte: part.endByte - 1,
        // The body is in shared memory already; this one is thrown away.
        layerPartBlob: new Uint8Array(0),
      });
      command.middlewareStack.add(
        (next) => (args) => {
          const request = args.request as { headers: Record<string, string>; body: unknown };
          request.headers['content-length'] = String(part.bodyLengthBytes);
          // The signer takes a hash that is given, and hashes nothing itself.
          request.headers['x-amz-content-sha256'] = part.bodySha256;
          request.body = undefined;
          return next(args);
        },
        { step: 'build', priority: 'high', name: 'longshorePartBody' },
      );
      const longshorePart = { part, gate, onHanded };
      const abortSignal = AbortSignal.any([signal, late.signal]);
      const options: PartOptions = { abortSignal, longshorePart };
      return client.send(command, options);
    };
    const { lastByteReceived } = await this.#call(context, signal, send, handed).catch(
      (error: unknown) => {
        late.abort();
        throw error;
      },
    );
    if (lastByteReceived === undefined) throw wrongReply(context, 'lastByteReceived', 'none');
    return lastByteReceived;
  }

  async completeUpload(target: UploadTarget, digest: Digest, signal: AbortSignal): Promise<Digest> {
    const context = { operation: 'CompleteLayerUpload', ...target };
    const { layerDigest } = await this.#call(context, signal, ({ client, sdk }) =>
      client.send(
        new sdk.CompleteLayerUploadCommand({
          ...this.#caller.registry,
          repositoryName: target.repository,
          uploadId: target.uploadId,
          layerDigests: [digest],
        }),
        { abortSignal: signal },
      ),
    );
    if (!isDigest(layerDigest)) throw wrongReply(context, digest, String(layerDigest));
    return layerDigest;
  }

  #call<T>(
    context: CallContext,
    signal: AbortSignal,
    send: (ecr: Ecr) => Promise<T>,
    handed?: Promise<void>,
  ): Promise<T> {
    return this.#caller.call(context, this.#tally, signal, send, handed);
  }
}
