/** The least that AWS asks of a request: a head signed with Signature Version 4. */

import { createHash, createHmac } from 'node:crypto';
import type { ServerAddress } from '../harness/protocol.ts';

const TARGET_PREFIX = 'AmazonEC2ContainerRegistry_V20150921';
const SIGNED_HEADERS = 'host;x-amz-content-sha256;x-amz-date;x-amz-target';

/** The bytes of a request's head, up to and including the empty line. */
export function signedHead(
  server: ServerAddress,
  operation: string,
  body: { readonly sizeBytes: number; readonly sha256: string },
): string {
  const { host } = new URL(server.endpoint);
  const date = `${new Date().toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`;
  const scope = [date.slice(0, 8), server.region, 'ecr', 'aws4_request'];
  const target = `${TARGET_PREFIX}.${operation}`;
  const headers = [
    `host:${host}`,
    `x-amz-content-sha256:${body.sha256}`,
    `x-amz-date:${date}`,
    `x-amz-target:${target}`,
  ];
  const canonical = ['POST', '/', '', ...headers, '', SIGNED_HEADERS, body.sha256].join('\n');
  const toSign = ['AWS4-HMAC-SHA256', date, scope.join('/'), sha256(canonical)].join('\n');
  let key: string | Buffer = `AWS4${server.credentials.secretAccessKey}`;
  for (const piece of scope) key = createHmac('sha256', key).update(piece).digest();
  const signature = createHmac('sha256', key).update(toSign).digest('hex');
  const credential = `${server.credentials.accessKeyId}/${scope.join('/')}`;
  return [
    'POST / HTTP/1.1',
    ...headers,
    'content-type:application/x-amz-json-1.1',
    `content-length:${body.sizeBytes}`,
    `authorization:AWS4-HMAC-SHA256 Credential=${credential}, ` +
      `SignedHeaders=${SIGNED_HEADERS}, Signature=${signature}`,
    '',
    '',
  ].join('\r\n');
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
