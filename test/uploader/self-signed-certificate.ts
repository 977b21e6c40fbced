/** A key and a certificate for this machine, made anew so that neither is kept nor expires. */

import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';

const OID = {
  ecdsaWithSha256: '2a8648ce3d040302',
  commonName: '550403',
  subjectAltName: '551d11',
} as const;

/** PEM, as `node:https` and the emulator take them; for `dnsName` and 127.0.0.1. */
export function selfSignedCertificate(dnsName = 'localhost'): {
  readonly key: string;
  readonly cert: string;
} {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const algorithm = sequence(objectId(OID.ecdsaWithSha256));
  const name = sequence(
    tagged(0x31, sequence(objectId(OID.commonName), tagged(0x0c, Buffer.from('longshore test')))),
  );
  const now = Date.now();
  const hourMs = 3_600_000;
  const names = sequence(
    tagged(0x82, Buffer.from(dnsName)),
    tagged(0x87, Buffer.from([127, 0, 0, 1])),
  );
  const extension = sequence(objectId(OID.subjectAltName), tagged(0x04, names));
  const content = sequence(
    tagged(0xa0, tagged(0x02, Buffer.from([2]))),
    tagged(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    algorithm,
    name,
    sequence(utcTime(now - hourMs), utcTime(now + hourMs)),
    name,
    publicKey.export({ format: 'der', type: 'spki' }),
    tagged(0xa3, sequence(extension)),
  );
  const signature = sign('sha256', content, privateKey);
  const der = sequence(
    content,
    algorithm,
    tagged(0x03, Buffer.concat([Buffer.from([0]), signature])),
  );
  return {
    key: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${der.toString('base64')}\n-----END CERTIFICATE-----\n`,
  };
}

/** ASN.1 DER: a tag, the length, the content. */
function tagged(tag: number, content: Buffer): Buffer {
  const { length } = content;
  if (length < 128) return Buffer.concat([Buffer.from([tag, length]), content]);
  const size = length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

function sequence(...items: readonly Buffer[]): Buffer {
  return tagged(0x30, Buffer.concat(items));
}

function objectId(hex: string): Buffer {
  return tagged(0x06, Buffer.from(hex, 'hex'));
}

function utcTime(ms: number): Buffer {
  const text = `${new Date(ms).toISOString().slice(2, 19).replaceAll(/[-:T]/g, '')}Z`;
  return tagged(0x17, Buffer.from(text));
}
