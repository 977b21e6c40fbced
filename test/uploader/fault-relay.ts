/** A TCP relay in front of an emulator, for what only a network can do. */

import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

export interface RelayFault {
  /**
   * `stall`: takes no more bytes from the client, and keeps the connection open;
   * `cut-reply`: ends the connection, but only after this many bytes of the first reply.
   */
  readonly kind: 'stall' | 'cut-reply';
  readonly afterBytes: number;
  /** Connections it strikes, the first ones that qualify. */
  readonly times: number;
}

export interface FaultRelay extends AsyncDisposable {
  readonly endpoint: string;
}

/** Relays to `target`; strikes only connections that carry `UploadLayerPart`. */
export async function startRelay(target: string, fault: RelayFault): Promise<FaultRelay> {
  const { port, hostname } = new URL(target);
  const sockets = new Set<Socket>();
  let strikesLeft = fault.times;

  const server = createServer((client) => {
    const registry = connect(Number(port), hostname);
    for (const [socket, other] of [
      [client, registry],
      [registry, client],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => other.destroy());
      socket.on('close', () => other.destroy());
    }
    client.once('data', (head) => {
      const strikes = strikesLeft > 0 && head.includes('UploadLayerPart');
      if (strikes) strikesLeft -= 1;
      registry.write(head);
      if (strikes && fault.kind === 'stall') stallAfter(client, registry, fault.afterBytes);
      else client.pipe(registry);
      if (strikes && fault.kind === 'cut-reply') cutAfter(registry, client, fault.afterBytes);
      else registry.pipe(client);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

function stallAfter(client: Socket, registry: Socket, afterBytes: number): void {
  let lengthBytes = 0;
  client.on('data', (chunk) => {
    lengthBytes += chunk.length;
    registry.write(chunk);
    if (lengthBytes >= afterBytes) client.pause();
  });
}

function cutAfter(registry: Socket, client: Socket, afterBytes: number): void {
  registry.once('data', (chunk) => {
    client.write(chunk.subarray(0, afterBytes), () => client.destroy());
  });
}
