/** A small HTTP proxy: tunnels for CONNECT, absolute URIs for the rest. */

import { once } from 'node:events';
import { createServer, request as forward } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';

export interface HttpProxy extends AsyncDisposable {
  readonly url: URL;
  /** What was asked for: `CONNECT host:port`, or method and absolute URI. */
  readonly requests: readonly string[];
  /** `proxy-authorization` of the requests, where given. */
  readonly authorizations: readonly string[];
}

/** @param refusalStatus answer everything with this status instead */
export async function startProxy(refusalStatus?: number): Promise<HttpProxy> {
  const requests: string[] = [];
  const authorizations: string[] = [];
  const sockets = new Set<Duplex>();

  const note = (message: IncomingMessage): void => {
    requests.push(`${message.method ?? ''} ${message.url ?? ''}`);
    const authorization = message.headers['proxy-authorization'];
    if (authorization !== undefined) authorizations.push(authorization);
  };
  const server = createServer((incoming: IncomingMessage, outgoing: ServerResponse) => {
    note(incoming);
    if (refusalStatus !== undefined) {
      incoming.resume();
      outgoing.writeHead(refusalStatus).end('<html>no</html>');
      return;
    }
    const { method, headers, url = '' } = incoming;
    const onward = forward(url, { method, headers, agent: false }, (reply) => {
      outgoing.writeHead(reply.statusCode ?? 502, reply.headers);
      reply.pipe(outgoing);
    });
    onward.on('error', () => outgoing.destroy());
    incoming.pipe(onward);
  });
  server.on('connect', (message: IncomingMessage, client: Duplex, head: Buffer) => {
    note(message);
    if (refusalStatus !== undefined) {
      client.end(`HTTP/1.1 ${refusalStatus} No\r\ncontent-length: 0\r\n\r\n`);
      return;
    }
    const { hostname, port } = new URL(`http://${message.url ?? ''}`);
    const target = connect(Number(port), hostname, () => {
      client.write('HTTP/1.1 200 OK\r\n\r\n');
      target.write(head);
      client.pipe(target).pipe(client);
    });
    sockets.add(target);
    target.on('error', () => client.destroy());
    client.on('error', () => target.destroy());
    client.on('close', () => target.destroy());
  });
  server.on('connection', (socket: Socket) => sockets.add(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    requests,
    authorizations,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
