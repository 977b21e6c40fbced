import { describe, expect, test } from 'vitest';
import { bytesSource } from '../../src/index.ts';
import { MIB } from '../../src/limits.ts';
import { expectFailure, expectPartsInOrder, expectStored } from './expectation.ts';
import { startProxy } from './http-proxy.ts';
import { layerBytes } from './layer-bytes.ts';
import { selfSignedCertificate } from './self-signed-certificate.ts';
import { runUploadProgram } from './upload-program.ts';
import { startRig } from './upload-rig.ts';

const tls = selfSignedCertificate();
const bytes = layerBytes(11 * MIB);

describe('a proxy', () => {
  test('given as a URL carries all calls to a plain endpoint', async () => {
    await using proxy = await startProxy();
    await using rig = await startRig({ uploader: { proxy: proxy.url } });
    await rig.upload(bytesSource(bytes));
    await expectStored(rig.emulator, bytes);
    expectPartsInOrder(rig.emulator);
    const target = `POST ${rig.emulator.endpoint}/`;
    expect(new Set(proxy.requests)).toEqual(new Set([target]));
    expect(proxy.requests).toHaveLength(rig.emulator.journal.count());
  });

  test('given as a URL carries all calls to an endpoint with TLS through tunnels', async () => {
    await using proxy = await startProxy();
    await using rig = await startRig({
      emulator: { tls, host: 'localhost' },
      uploader: { proxy: proxy.url, certificateAuthorities: tls.cert },
    });
    await rig.upload(bytesSource(bytes));
    await expectStored(rig.emulator, bytes);
    expectPartsInOrder(rig.emulator);
    const { host } = new URL(rig.emulator.endpoint);
    expect(new Set(proxy.requests)).toEqual(new Set([`CONNECT ${host}`]));
    const connections = new Set(rig.emulator.journal.entries().map((entry) => entry.connectionId));
    expect(proxy.requests).toHaveLength(connections.size);
  });

  test('gets the user and password of its URL', async () => {
    await using proxy = await startProxy();
    const url = new URL(proxy.url);
    url.username = 'ship';
    url.password = 'shore';
    await using rig = await startRig({ uploader: { proxy: url } });
    await rig.upload(bytesSource(bytes));
    const expected = `Basic ${Buffer.from('ship:shore').toString('base64')}`;
    expect(new Set(proxy.authorizations)).toEqual(new Set([expected]));
    expect(proxy.authorizations).toHaveLength(proxy.requests.length);
  });

  test.each([{ secure: false }, { secure: true }])(
    'that refuses ends the layer in an error of its own (TLS $secure)',
    async ({ secure }) => {
      await using proxy = await startProxy(407);
      await using rig = await startRig({
        emulator: secure ? { tls, host: 'localhost' } : {},
        uploader: { proxy: proxy.url, certificateAuthorities: tls.cert },
      });
      const error = await expectFailure(rig.upload(bytesSource(bytes)), 'E_NETWORK');
      expect(error.message).toMatch(/put the proxy's user and password into its URL/);
      expect(error.details.httpStatus).toBe(407);
      expect(rig.emulator.journal.count()).toBe(0);
    },
  );

  test('that is not there ends the layer in E_NETWORK', async () => {
    const proxy = await startProxy();
    await proxy[Symbol.asyncDispose]();
    await using rig = await startRig({ uploader: { proxy: proxy.url } });
    const error = await expectFailure(rig.upload(bytesSource(bytes)), 'E_NETWORK');
    expect(error.details.systemCode).toBe('ECONNREFUSED');
  });
});

describe('a proxy of the environment', () => {
  test.each([
    { name: 'http_proxy', secure: false },
    { name: 'HTTPS_PROXY', secure: true },
  ])('is used: $name', async ({ name, secure }) => {
    await using proxy = await startProxy();
    await using rig = await startRig({ emulator: secure ? { tls, host: 'localhost' } : {} });
    const { receipt } = await runUploadProgram(
      { ...rig.emulator.environment(), [name]: proxy.url.href },
      { certificateAuthorities: tls.cert },
    );
    expect(receipt).toMatchObject({ outcome: 'uploaded' });
    const { host } = new URL(rig.emulator.endpoint);
    const target = secure ? `CONNECT ${host}` : `POST ${rig.emulator.endpoint}/`;
    expect(new Set(proxy.requests)).toEqual(new Set([target]));
  });

  test.each([
    { name: 'NO_PROXY names the host', environment: { NO_PROXY: '127.0.0.1' }, options: {} },
    { name: 'the option says none', environment: {}, options: { proxy: 'none' as const } },
  ])('is not used where $name', async ({ environment, options }) => {
    await using proxy = await startProxy();
    await using rig = await startRig();
    const { receipt } = await runUploadProgram(
      { ...rig.emulator.environment(), HTTP_PROXY: proxy.url.href, ...environment },
      options,
    );
    expect(receipt).toMatchObject({ outcome: 'uploaded' });
    expect(proxy.requests).toEqual([]);
  });
});
