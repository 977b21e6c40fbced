/** Leads calls astray after they were signed: to a name, a port or a server that is not ECR. */

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, type Server } from 'node:tls';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { selfSignedCertificate } from '../uploader/self-signed-certificate.ts';
import type { Operation } from './fault.ts';

export type WrongRoute = 'unknown-name' | 'closed-port' | 'no-tls' | 'untrusted';

export interface RouteStrike {
  readonly operation: Operation;
  readonly route: WrongRoute;
  readonly nth: number;
  readonly times: number;
}

interface Place {
  readonly protocol: string;
  readonly hostname: string;
  readonly port: number;
}

type SdkRequest = Parameters<NodeHttpHandler['handle']>[0];
type HandlerOptions = Parameters<NodeHttpHandler['handle']>[1];

/** Nobody listens there: it is not for programs of users. */
const CLOSED_PORT = 1;

export class RouteSwitch implements AsyncDisposable {
  readonly #target: () => string;
  readonly #handler = new NodeHttpHandler();
  readonly #stranger: Server = createServer(selfSignedCertificate());
  #strike: RouteStrike | undefined;
  #matchCount = 0;
  #strikeCount = 0;
  /**
   * Parts are led by the endpoint, which is asked twice a call and not told for which: it is the wrong one
   * from the Initiate on, until so many of them were repeated.
   */
  #areParts = false;
  #partsRepeated = 0;

  constructor(target: () => string) {
    this.#target = target;
    this.#stranger.on('tlsClientError', () => undefined);
  }

  async listen(): Promise<void> {
    this.#stranger.listen(0, '127.0.0.1');
    await once(this.#stranger, 'listening');
  }

  arm(strike: RouteStrike): void {
    this.#strike = strike;
    this.#matchCount = 0;
    this.#strikeCount = 0;
    this.#areParts = false;
    this.#partsRepeated = 0;
  }

  partRepeated(): void {
    this.#partsRepeated += 1;
  }

  /** @returns how often it struck */
  disarm(): number {
    this.#strike = undefined;
    return this.#strikeCount;
  }

  /** For `client` of an uploader's options. */
  get client(): {
    readonly endpoint: () => Promise<Place & { readonly path: string }>;
    readonly requestHandler: {
      handle(request: SdkRequest, options?: HandlerOptions): ReturnType<NodeHttpHandler['handle']>;
    };
  } {
    return {
      endpoint: () => Promise.resolve({ ...this.#placeOf(this.#leadsPartsAstray()), path: '/' }),
      requestHandler: {
        handle: async (request, options) => {
          const operation = request.headers['x-amz-target']?.split('.').at(-1) ?? '';
          Object.assign(request, this.#placeOf(this.#strikes(operation)));
          const answer = await this.#handler.handle(request, options);
          if (operation === 'InitiateLayerUpload') this.#areParts = true;
          return answer;
        },
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#handler.destroy();
    this.#stranger.close();
    await once(this.#stranger, 'close');
  }

  #leadsPartsAstray(): boolean {
    const strike = this.#strike;
    if (strike?.operation !== 'UploadLayerPart' || !this.#areParts) return false;
    if (this.#partsRepeated >= strike.times) return false;
    this.#strikeCount += 1;
    return true;
  }

  #strikes(operation: string): boolean {
    const strike = this.#strike;
    if (strike === undefined || strike.operation !== operation) return false;
    this.#matchCount += 1;
    if (this.#matchCount < strike.nth || this.#strikeCount >= strike.times) return false;
    this.#strikeCount += 1;
    return true;
  }

  #placeOf(astray: boolean): Place {
    const { hostname, port } = new URL(this.#target());
    const right = { protocol: 'http:', hostname, port: Number(port) };
    if (!astray) return right;
    switch (this.#strike?.route) {
      case 'unknown-name':
        return { ...right, hostname: 'registry.invalid' };
      case 'closed-port':
        return { ...right, port: CLOSED_PORT };
      case 'no-tls':
        return { ...right, protocol: 'https:' };
      case 'untrusted': {
        const { port: strangerPort } = this.#stranger.address() as AddressInfo;
        return { ...right, protocol: 'https:', port: strangerPort };
      }
      case undefined:
        return right;
    }
  }
}
