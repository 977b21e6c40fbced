import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { startEmulator } from '../../src/emulator/index.ts';
import { readSignature } from '../../src/emulator/signature.ts';
import type { HandlerRequest } from '../../src/emulator/request-handler.ts';
import {
  REPOSITORY,
  clientOf,
  expectException,
  post,
  sendPart,
  startUpload,
  withEmulator,
} from './fixture.ts';

const ask = { registryIds: ['123456789012'] };

test('an unknown key or session token is not recognized', () =>
  withEmulator({}, async (emulator) => {
    const unknown = {
      name: 'UnrecognizedClientException',
      message: 'The security token included in the request is invalid.',
      $metadata: { httpStatusCode: 400 },
    };
    for (const credentials of [
      { ...emulator.credentials, accessKeyId: 'AKIDOTHER' },
      { ...emulator.credentials, sessionToken: 'unexpected' },
    ]) {
      const client = clientOf(emulator, { credentials });
      await expectException(client.getAuthorizationToken(ask), unknown);
      client.destroy();
    }
  }));

test('a wrong secret does not match', () =>
  withEmulator({}, async (emulator) => {
    const credentials = { ...emulator.credentials, secretAccessKey: 'other' };
    const client = clientOf(emulator, { credentials });
    await expectException(client.getAuthorizationToken(ask), {
      name: 'InvalidSignatureException',
      message: expect.stringContaining('The request signature we calculated does not match'),
    });
    client.destroy();
  }));

test('a session token is demanded when there is one', async () => {
  const credentials = { accessKeyId: 'AKID', secretAccessKey: 'secret', sessionToken: 'token' };
  await withEmulator({ credentials }, async (emulator, client) => {
    await client.describeRepositories({});
    const without = clientOf(emulator, { credentials: { ...credentials, sessionToken: '' } });
    await expectException(without.getAuthorizationToken(ask), {
      name: 'UnrecognizedClientException',
    });
    without.destroy();
  });
});

test('a body changed after signing does not match, for parts and for the rest', () =>
  withEmulator({}, async (emulator, client) => {
    const uploadId = await startUpload(client);
    const altering = clientOf(emulator, {
      requestHandler: {
        handle: (request: HandlerRequest) => {
          const text = Buffer.from(request.body as Uint8Array).toString();
          const body = text.replace(REPOSITORY, 'team/apq').replace('AAAA', 'AAAB');
          return emulator.requestHandler.handle({ ...request, body });
        },
      },
    });
    const refusal = { name: 'InvalidSignatureException' };
    await expectException(sendPart(altering, uploadId, 0, new Uint8Array(9)), refusal);
    await expectException(startUpload(altering), refusal);
    expect(emulator.uploads()[0]?.nextByte).toBe(0);
  }));

test('a scope of another region is refused', () =>
  withEmulator({}, async (emulator) => {
    const client = clientOf(emulator, { region: 'eu-west-1' });
    await expectException(client.getAuthorizationToken(ask), {
      name: 'InvalidSignatureException',
      message: 'Credential should be scoped to a valid region.',
    });
    client.destroy();
  }));

test('a signature is good for five minutes either way', async () => {
  let skewMs = 0;
  await using emulator = await startEmulator({ clock: () => Date.now() + skewMs });
  const call = async (): Promise<unknown> => {
    // A new client each time: the SDK learns the server's clock from `Date`.
    const client = clientOf(emulator, { requestHandler: emulator.requestHandler });
    return client.getAuthorizationToken(ask);
  };
  for (skewMs of [-290_000, 290_000]) await call();
  skewMs = 310_000;
  await expectException(call(), {
    name: 'InvalidSignatureException',
    message: expect.stringMatching(
      /^Signature expired: \w+Z is now earlier than \w+Z \(\w+Z - 5 min\.\)$/,
    ),
  });
  skewMs = -310_000;
  await expectException(call(), {
    name: 'InvalidSignatureException',
    message: expect.stringMatching(/^Signature not yet current: \w+Z is still later than/),
  });
});

test('missing and broken Authorization headers have their own names', () =>
  withEmulator({}, async (emulator) => {
    const none = await post(emulator, 'GetAuthorizationToken', '{}');
    expect(none.status).toBe(400);
    expect(none.body).toEqual({
      __type: 'MissingAuthenticationTokenException',
      message: 'Missing Authentication Token',
    });
    expect(none.headers.get('x-amzn-requestid')).toMatch(/^[0-9a-f-]{36}$/);
    const broken = await post(emulator, 'GetAuthorizationToken', '{}', {
      authorization: 'AWS4-HMAC-SHA256 Credential=a/b/c',
    });
    expect(broken.body['__type']).toBe('IncompleteSignatureException');
  }));

test('the canonical request is the one of the public test vectors', () => {
  // "get-vanilla" of AWS's published suite, moved to service ecr; signature computed with Python.
  const headers = {
    host: 'example.amazonaws.com',
    'x-amz-date': '20150830T123600Z',
    authorization:
      'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/ecr/aws4_request, ' +
      'SignedHeaders=host;x-amz-date, Signature=SIGNATURE',
  };
  const signature = '7c3f3d2dc75006a51755d6ddbdedfab93d60c24428768051eb8d73878ca2b14a';
  const check = readSignature(
    {
      method: 'GET',
      target: '/',
      headers: { ...headers, authorization: headers.authorization.replace('SIGNATURE', signature) },
    },
    {
      credentials: {
        accessKeyId: 'AKIDEXAMPLE',
        secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
      },
      region: 'us-east-1',
      nowMs: Date.parse('2015-08-30T12:36:00Z'),
    },
  );
  expect(check.refusal(createHash('sha256').digest('hex'))).toBeUndefined();
});

test('nothing is verified when verification is switched off', () =>
  withEmulator({ verifySignatures: false }, async (emulator) => {
    const reply = await post(emulator, 'InitiateLayerUpload', `{"repositoryName":"${REPOSITORY}"}`);
    expect(reply.status).toBe(200);
  }));
