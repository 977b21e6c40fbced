/** Signs tokens as the registry of the Distribution project verifies them. */

import { createPrivateKey, sign } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { selfSignedCertificate } from '../uploader/self-signed-certificate.ts';

export interface TokenServer extends AsyncDisposable {
  readonly realm: string;
  readonly service: string;
  readonly issuer: string;
  /** PEM; what the registry has to trust. */
  readonly certificate: string;
  /** Paths and queries of the requests. */
  readonly requests: readonly string[];
}

/** @param authorization what it wants to see before it gives out a token */
export async function startTokenServer(authorization: string): Promise<TokenServer> {
  const { key, cert } = selfSignedCertificate();
  const [service, issuer] = ['the registry', 'the token server'];
  const requests: string[] = [];
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://token');
    requests.push(request.url ?? '');
    if (request.headers.authorization !== authorization) {
      response.writeHead(401).end();
      return;
    }
    const access = url.searchParams.getAll('scope').map((scope) => {
      const [type, name, actions = ''] = scope.split(':');
      return { type, name, actions: actions.split(',') };
    });
    const nowSeconds = Math.floor(Date.now() / 1000);
    const claims = {
      iss: issuer,
      aud: url.searchParams.get('service'),
      sub: 'somebody',
      iat: nowSeconds,
      nbf: nowSeconds - 60,
      exp: nowSeconds + 300,
      jti: String(requests.length),
      access,
    };
    const chain = [cert.replaceAll(/-----[A-Z ]+-----|\s/g, '')];
    const token = signedToken({ typ: 'JWT', alg: 'ES256', x5c: chain }, claims, key);
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ access_token: token, expires_in: 300 }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    realm: `http://127.0.0.1:${(server.address() as AddressInfo).port}/auth?tenant=a`,
    service,
    issuer,
    certificate: cert,
    requests,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function signedToken(header: object, claims: object, key: string): string {
  const text = [header, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  const signature = sign('sha256', Buffer.from(text), {
    key: createPrivateKey(key),
    dsaEncoding: 'ieee-p1363',
  });
  return `${text}.${signature.toString('base64url')}`;
}
