/** The docker door of one ECR registry, `/v2`: for mounting blobs, which the API cannot. */

import type { Digest } from '../digest.ts';
import { EcrAccount, type RegistryLogin } from '../ecr/ecr-account.ts';
import type { EcrCaller } from '../ecr/ecr-caller.ts';
import { forCaller } from '../image/image-context.ts';
import { RegistryFault } from '../layer/ports.ts';
import { callWithRetry, type RetryPolicy } from '../layer/retry.ts';
import { ReadFault } from '../registry/read-fault.ts';
import { mountFault } from './mount-fault.ts';
import { KeptAnswer } from './kept-answer.ts';
import type { ResolvedUploaderOptions } from './uploader-options.ts';

/** A password is good for 12 hours (user guide, H); the last of them is left unused. */
const LOGIN_KEPT_MS = 11 * 3_600_000;

/** What sends mounts, loaded with the first of them. */
interface Sender {
  readonly mountBlob: typeof import('../registry/blob-mount.ts').mountBlob;
  readonly transport: import('../registry/transport.ts').Transport;
}

export class DockerDoor {
  readonly #options: ResolvedUploaderOptions;
  readonly #caller: EcrCaller;
  readonly #retry: RetryPolicy;
  /** Ends what several wait for. */
  readonly #end = new AbortController();
  readonly #login: KeptAnswer<RegistryLogin>;
  #sender: Promise<Sender> | undefined;

  constructor(options: ResolvedUploaderOptions, caller: EcrCaller, retry: RetryPolicy) {
    this.#options = options;
    this.#caller = caller;
    this.#retry = retry;
    const account = new EcrAccount(caller);
    const { signal } = this.#end;
    this.#login = new KeptAnswer(
      () =>
        forCaller(
          callWithRetry(
            () => account.logIn(signal),
            retry,
            signal,
            () => undefined,
          ),
        ),
      LOGIN_KEPT_MS,
    );
  }

  /** Host and port of image references. */
  async host(signal: AbortSignal): Promise<string> {
    return (await this.#login.get(signal)).endpoint.host;
  }

  /**
   * ECR takes a mount for an InitiateLayerUpload (user guide, H): so it waits for that operation's rate, and
   * slows it down when it is throttled.
   * @throws LongshoreError; the signal's reason
   */
  mount(
    repository: string,
    from: string,
    digest: Digest,
    signal: AbortSignal,
  ): Promise<'mounted' | 'refused'> {
    const context = { operation: 'InitiateLayerUpload', repository, digest };
    let isRenewed = false;
    const attempt = async (): Promise<'mounted' | 'refused'> => {
      const login = await this.#login.get(signal);
      const { transport, mountBlob } = await this.#load();
      const { stallTimeoutMs } = this.#options;
      return this.#caller.call(context, undefined, signal, async () => {
        const startedAtMs = performance.now();
        try {
          const mount = { ...login, repository, from, digest };
          return await mountBlob(transport, mount, stallTimeoutMs, signal);
        } catch (error) {
          if (!(error instanceof ReadFault)) throw error;
          // Whoever may push need not be allowed to read the other repository, as a mount demands
          // (ecr:GetDownloadUrlForLayer). If not even a push is allowed, the upload tells.
          if (isRenewed && error.facts.httpStatus === 403) return 'refused';
          const elapsedMs = Math.round(performance.now() - startedAtMs);
          const fault = mountFault(error, { repository, from, digest, elapsedMs });
          if (error.kind !== 'denied' || isRenewed) throw fault;
          isRenewed = true;
          await this.#login.drop(login);
          throw new RegistryFault('renewed', fault.error);
        }
      });
    };
    return forCaller(callWithRetry(attempt, this.#retry, signal, () => undefined));
  }

  /** Leaves no connection. Idempotent. */
  async close(reason: unknown): Promise<void> {
    this.#end.abort(reason);
    const sender = await this.#sender?.catch(() => undefined);
    await sender?.transport.close();
  }

  #load(): Promise<Sender> {
    this.#sender ??= this.#open();
    return this.#sender;
  }

  async #open(): Promise<Sender> {
    const [{ mountBlob }, { Transport }, { resolveRegistryOptions }, { processSurroundings }] =
      await Promise.all([
        import('../registry/blob-mount.ts'),
        import('../registry/transport.ts'),
        import('../registry/client-options.ts'),
        import('../registry/surroundings.ts'),
      ]);
    const { certificateAuthorities, connectTimeoutMs, stallTimeoutMs, proxy } = this.#options;
    const options = resolveRegistryOptions({
      connectTimeoutMs,
      stallTimeoutMs,
      proxy,
      ...(certificateAuthorities !== undefined && { certificateAuthorities }),
    });
    return { mountBlob, transport: new Transport(options, processSurroundings()) };
  }
}
