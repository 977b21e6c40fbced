import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { bytesSource, createUploader } from '../../src/index.ts';
import { MIB } from '../../src/limits.ts';
import { resolveUploaderOptions } from '../../src/uploader/uploader-options.ts';
import { callCounts, expectFailure, expectPartsInOrder, expectStored } from './expectation.ts';
import { layerBytes } from './layer-bytes.ts';
import { selfSignedCertificate } from './self-signed-certificate.ts';
import { runUploadProgram } from './upload-program.ts';
import { startRig } from './upload-rig.ts';

const tls = selfSignedCertificate();
const bytes = layerBytes(6 * MIB);

describe('a certificate that nobody vouches for', () => {
  test('ends in E_NETWORK at once, and the error names the remedies', async () => {
    await using rig = await startRig({ emulator: { tls } });
    const events: string[] = [];
    const upload = rig.upload(bytesSource(bytes), {
      onEvent: ({ type }) => void events.push(type),
    });
    const error = await expectFailure(upload, 'E_NETWORK');
    expect(error.details.systemCode).toBe('DEPTH_ZERO_SELF_SIGNED_CERT');
    for (const remedy of ['certificateAuthorities', 'AWS_CA_BUNDLE', 'NODE_EXTRA_CA_CERTS']) {
      expect(error.message).toContain(remedy);
    }
    expect(events).not.toContain('call-retried');
    expect(callCounts(rig.emulator)).toEqual({});
  });

  test('is trusted by certificateAuthorities, for control calls and parts', async () => {
    await using rig = await startRig({
      emulator: { tls },
      uploader: { certificateAuthorities: tls.cert },
    });
    await rig.upload(bytesSource(bytes));
    await expectStored(rig.emulator, bytes);
    expectPartsInOrder(rig.emulator);
  });

  test('is trusted by AWS_CA_BUNDLE, for control calls and parts', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'longshore-'));
    try {
      const bundle = join(folder, 'bundle.pem');
      writeFileSync(bundle, tls.cert);
      await using rig = await startRig({ emulator: { tls } });
      const { receipt, stderr } = await runUploadProgram({
        ...rig.emulator.environment(),
        AWS_CA_BUNDLE: bundle,
      });
      expect(receipt).toMatchObject({ outcome: 'uploaded', partCount: 1 });
      expect(stderr).toBe('');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('is trusted by NODE_EXTRA_CA_CERTS, in the worker threads as well', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'longshore-'));
    try {
      const bundle = join(folder, 'bundle.pem');
      writeFileSync(bundle, tls.cert);
      await using rig = await startRig({ emulator: { tls } });
      const { receipt } = await runUploadProgram({
        ...rig.emulator.environment(),
        NODE_EXTRA_CA_CERTS: bundle,
      });
      expect(receipt).toMatchObject({ outcome: 'uploaded', partCount: 1 });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('is trusted by NODE_EXTRA_CA_CERTS beside others that are given', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'longshore-'));
    try {
      const [extra, given] = [join(folder, 'extra.pem'), join(folder, 'given.pem')];
      writeFileSync(extra, tls.cert);
      writeFileSync(given, String(rootCertificates[0]));
      await using rig = await startRig({ emulator: { tls } });
      const { receipt } = await runUploadProgram({
        ...rig.emulator.environment(),
        NODE_EXTRA_CA_CERTS: extra,
        AWS_CA_BUNDLE: given,
      });
      expect(receipt).toMatchObject({ outcome: 'uploaded', partCount: 1 });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('is of no use for another host, and the error says so', async () => {
    const other = selfSignedCertificate('registry.example.test');
    await using rig = await startRig({
      emulator: { tls: other, host: 'localhost' },
      uploader: { certificateAuthorities: other.cert },
    });
    const error = await expectFailure(rig.upload(bytesSource(bytes)), 'E_NETWORK');
    expect(error.details.systemCode).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
    expect(error.message).toMatch(/for another host; check the endpoint/);
  });

  test('is a matter of a file that must be readable', () => {
    const environment = { AWS_CA_BUNDLE: '/no/such/bundle.pem' };
    expect(() => resolveUploaderOptions({}, environment)).toThrow(
      /AWS_CA_BUNDLE: expected a readable file of PEM certificates/,
    );
  });

  test('is refused for parts even where the control calls go another way', async () => {
    await using rig = await startRig({ emulator: { tls } });
    const { credentials, endpoint, region, requestHandler } = rig.emulator;
    await using uploader = createUploader({
      endpoint,
      region,
      client: { credentials, requestHandler },
      workersMax: 1,
      proxy: 'none',
    });
    const error = await expectFailure(
      uploader.uploadLayer({ repository: 'team/app', source: bytesSource(bytes) }),
      'E_NETWORK',
    );
    expect(error.details).toMatchObject({
      operation: 'UploadLayerPart',
      systemCode: 'DEPTH_ZERO_SELF_SIGNED_CERT',
    });
  });
});
