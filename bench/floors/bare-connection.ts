/** A socket with just enough HTTP/1.1 for a server that answers with Content-Length. */

import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connect as connectPlain } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { ServerAddress } from '../harness/protocol.ts';
import { signedHead } from './signed-request.ts';

/** Larger pieces hide less of the wait for the socket, smaller ones cost more calls. */
const PIECE_SIZE_BYTES = 1024 * 1024;

export interface Body {
  readonly pieces: readonly Buffer[];
  readonly sizeBytes: number;
  readonly sha256: string;
}

export class BareConnection {
  readonly #socket: Socket;
  readonly #server: ServerAddress;
  #received: Buffer = Buffer.alloc(0);
  #wake: () => void = () => undefined;
  #ended = false;

  private constructor(socket: Socket, server: ServerAddress) {
    this.#socket = socket;
    this.#server = server;
    socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#wake();
    });
    const end = (): void => {
      this.#ended = true;
      this.#wake();
    };
    socket.on('close', end).on('error', end);
  }

  static async open(server: ServerAddress): Promise<BareConnection> {
    const { hostname, port, protocol } = new URL(server.endpoint);
    const target = { host: hostname, port: Number(port), noDelay: true };
    const secure = protocol === 'https:';
    const socket = secure
      ? connectTls({ ...target, ca: server.certificateAuthorities, servername: 'localhost' })
      : connectPlain(target);
    await once(socket, secure ? 'secureConnect' : 'connect');
    return new BareConnection(socket, server);
  }

  /** Sends a request and waits for its reply. */
  async call(operation: string, body: Body): Promise<unknown> {
    await this.#write(Buffer.from(signedHead(this.#server, operation, body)));
    for (const piece of body.pieces) {
      for (let start = 0; start < piece.length; start += PIECE_SIZE_BYTES) {
        await this.#write(piece.subarray(start, start + PIECE_SIZE_BYTES));
      }
    }
    const { status, text } = await this.#readReply();
    if (status !== 200) throw new Error(`${operation}: ${status} ${text}`);
    return JSON.parse(text);
  }

  close(): void {
    this.#socket.destroy();
  }

  async #write(bytes: Buffer): Promise<void> {
    if (!this.#socket.write(bytes)) await once(this.#socket, 'drain');
  }

  async #readReply(): Promise<{ readonly status: number; readonly text: string }> {
    for (;;) {
      const headEnd = this.#received.indexOf('\r\n\r\n');
      if (headEnd >= 0) {
        const head = this.#received.toString('latin1', 0, headEnd);
        const size = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
        const bodyStart = headEnd + 4;
        if (this.#received.length >= bodyStart + size) {
          const text = this.#received.toString('utf8', bodyStart, bodyStart + size);
          this.#received = this.#received.subarray(bodyStart + size);
          return { status: Number(head.slice(9, 12)), text };
        }
      }
      if (this.#ended) throw new Error('the server closed the connection');
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
