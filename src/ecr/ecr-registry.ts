/** ECR behind the layer room's port: one call each, no retries, faults as data. */

import {
  BatchCheckLayerAvailabilityCommand,
  CompleteLayerUploadCommand,
  CreateRepositoryCommand,
  ECRClient,
  type ECRClientConfig,
  InitiateLayerUploadCommand,
  UploadLayerPartCommand,
} from '@aws-sdk/client-ecr';
import { type Digest, isDigest } from '../digest.ts';
import { LongshoreError } from '../errors.ts';
import { PART_SIZE_REPORTED_BYTES } from '../limits.ts';
import {
  type LayerRegistry,
  type PreparedPart,
  RegistryFault,
  type UploadTarget,
} from '../layer/ports.ts';
import type { CallContext } from './call-context.ts';
import { isExpiredCredentials, toRegistryFault } from './ecr-fault.ts';
import type { HttpHandler, PartOptions } from './request-handler.ts';

export interface EcrRegistryOptions {
  readonly client: ECRClientConfig;
  readonly registryId: string | undefined;
  readonly repositorySettings: Readonly<Record<string, unknown>>;
  readonly requestHandler: HttpHandler;
}

export class EcrRegistry implements LayerRegistry {
  readonly #client: ECRClient;
  readonly #registry: { readonly registryId?: string };
  readonly #repositorySettings: Readonly<Record<string, unknown>>;
  #renewal: Promise<boolean> | undefined;
  #renewedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: EcrRegistryOptions) {
    this.#registry = options.registryId === undefined ? {} : { registryId: options.registryId };
    this.#repositorySettings = options.repositorySettings;
    const client = { ...options.client };
    delete client.retryStrategy;
    delete client.retryMode;
    this.#client = new ECRClient({
      ...client,
      requestHandler: options.requestHandler as NonNullable<ECRClientConfig['requestHandler']>,
      // One retry loop, ours: the SDK's would resend a part that landed and would take
      // LimitExceededException for throttling (measured by others, H).
      maxAttempts: 1,
    });
  }

  async hasLayer(repository: string, digest: Digest, signal: AbortSignal): Promise<boolean> {
    const context = { operation: 'BatchCheckLayerAvailability', repository };
    const command = new BatchCheckLayerAvailabilityCommand({
      ...this.#registry,
      repositoryName: repository,
      layerDigests: [digest],
    });
    const reply = await this.#call(context, signal, () =>
      this.#client.send(command, { abortSignal: signal }),
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
    const command = new CreateRepositoryCommand({
      ...this.#repositorySettings,
      ...this.#registry,
      repositoryName: repository,
    });
    try {
      await this.#call(context, signal, () => this.#client.send(command, { abortSignal: signal }));
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
    const command = new InitiateLayerUploadCommand({
      ...this.#registry,
      repositoryName: repository,
    });
    const { uploadId, partSize } = await this.#call(context, signal, () =>
      this.#client.send(command, { abortSignal: signal }),
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
    const command = new UploadLayerPartCommand({
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
    const options: PartOptions = { abortSignal: signal, longshorePart: { part, gate } };
    const { lastByteReceived } = await this.#call(context, signal, () =>
      this.#client.send(command, options),
    );
    if (lastByteReceived === undefined) throw wrongReply(context, 'lastByteReceived', 'none');
    return lastByteReceived;
  }

  async completeUpload(target: UploadTarget, digest: Digest, signal: AbortSignal): Promise<Digest> {
    const context = { operation: 'CompleteLayerUpload', ...target };
    const command = new CompleteLayerUploadCommand({
      ...this.#registry,
      repositoryName: target.repository,
      uploadId: target.uploadId,
      layerDigests: [digest],
    });
    const { layerDigest } = await this.#call(context, signal, () =>
      this.#client.send(command, { abortSignal: signal }),
    );
    if (!isDigest(layerDigest)) throw wrongReply(context, digest, String(layerDigest));
    return layerDigest;
  }

  /** Ends the connections of the control calls. */
  destroy(): void {
    this.#client.destroy();
  }

  async #call<T>(context: CallContext, signal: AbortSignal, send: () => Promise<T>): Promise<T> {
    const startedAtMs = performance.now();
    try {
      return await send();
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      const elapsedMs = Math.round(performance.now() - startedAtMs);
      const fault = toRegistryFault(error, { ...context, elapsedMs });
      if (isExpiredCredentials(fault) && (await this.#renewedSince(startedAtMs))) {
        throw new RegistryFault('renewed', fault.error);
      }
      throw fault;
    }
  }

  /** Whether there are other credentials now than when a call began; many calls share one renewal. */
  async #renewedSince(startedAtMs: number): Promise<boolean> {
    if (this.#renewedAtMs > startedAtMs) return true;
    this.#renewal ??= this.#renewCredentials().finally(() => {
      this.#renewal = undefined;
    });
    const renewed = await this.#renewal;
    if (renewed) this.#renewedAtMs = performance.now();
    return renewed;
  }

  /** Asks the credential chain anew. Resolves with whether it had others to give. */
  async #renewCredentials(): Promise<boolean> {
    const provide: (options?: { forceRefresh: boolean }) => Promise<{
      readonly accessKeyId: string;
      readonly sessionToken?: string | undefined;
    }> = this.#client.config.credentials;
    try {
      const before = await provide();
      const after = await provide({ forceRefresh: true });
      return before.accessKeyId !== after.accessKeyId || before.sessionToken !== after.sessionToken;
    } catch {
      return false;
    }
  }
}

function wrongReply(context: CallContext, expected: string, received: string): RegistryFault {
  const message = `${context.operation} answered without ${expected}; check the endpoint and any proxy on the way`;
  return new RegistryFault(
    'ambiguous',
    new LongshoreError('E_REGISTRY_PROTOCOL', message, {
      operation: context.operation,
      repository: context.repository,
      expected,
      received,
    }),
  );
}
