/** The server of a benchmark, in a process of its own so that its work is not counted as a client's. */

import { readFileSync } from 'node:fs';
import { BatchGetImageCommand, CreateRepositoryCommand, ECRClient } from '@aws-sdk/client-ecr';
import { Agent } from 'node:https';
import { Child } from './child-process.ts';
import type { Link, ServerAddress, ServerJob, ServerUsage } from './protocol.ts';

export interface ServerSettings {
  readonly tls: boolean;
  readonly link?: Link;
  readonly quotas?: boolean;
}

export class Server implements AsyncDisposable {
  readonly address: ServerAddress;
  readonly #child: Child;
  readonly #client: ECRClient;
  #repositoryCount = 0;

  private constructor(child: Child, address: ServerAddress) {
    this.#child = child;
    this.address = address;
    const { certificateAuthorities: ca, registry: _registry, ...rest } = address;
    this.#client = new ECRClient({
      ...rest,
      ...(ca !== undefined && { requestHandler: { httpsAgent: new Agent({ ca }) } }),
    });
  }

  /** Starts it and waits until it listens. */
  static async start(file: string, { tls, link, quotas = false }: ServerSettings): Promise<Server> {
    const certificate = readFixture('localhost-test-only-certificate.pem');
    const job: ServerJob = {
      ...(tls && { tls: { key: readFixture('localhost-test-only-key.pem'), certificate } }),
      ...(link !== undefined && { link }),
      quotas,
    };
    const child = new Child('the server', file);
    try {
      const address = (await child.ask(job)) as ServerAddress;
      return new Server(child, { ...address, ...(tls && { certificateAuthorities: certificate }) });
    } catch (error) {
      await child[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** A repository nobody has pushed to: a layer it already had would not be sent. */
  async createRepository(): Promise<string> {
    this.#repositoryCount += 1;
    const repositoryName = `bench/run-${this.#repositoryCount}`;
    await this.#client.send(new CreateRepositoryCommand({ repositoryName }));
    return repositoryName;
  }

  /** Digest of the image that has the tag `latest`, if there is one. */
  async latestDigest(repositoryName: string): Promise<string | undefined> {
    const { images = [] } = await this.#client.send(
      new BatchGetImageCommand({ repositoryName, imageIds: [{ imageTag: 'latest' }] }),
    );
    return images[0]?.imageId?.imageDigest;
  }

  async usage(): Promise<ServerUsage> {
    return (await this.#child.ask('usage')) as ServerUsage;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client.destroy();
    await this.#child[Symbol.asyncDispose]();
  }
}

// The SDK's farewell to this version of Node would stand between the figures.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true';

function readFixture(name: string): string {
  return readFileSync(new URL(`../fixtures/${name}`, import.meta.url), 'utf8');
}
