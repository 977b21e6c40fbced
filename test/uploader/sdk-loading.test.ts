import { expect, test } from 'vitest';
import { bytesSource, createUploader } from '../../src/index.ts';
import { expectFailure } from './expectation.ts';
import { REPOSITORY, startRig } from './upload-rig.ts';

const SOURCE = bytesSource(new Uint8Array(1000));

test('an abort while the SDK is being loaded ends the upload before its first call', async () => {
  await using rig = await startRig();
  const abort = new AbortController();
  const uploading = rig.upload(SOURCE, { signal: abort.signal });
  const reason = new Error('enough');
  abort.abort(reason);
  await expect(uploading).rejects.toBe(reason);
  await rig.uploader.close();
  expect(rig.emulator.journal.count({})).toBe(0);
});

test('an uploader that is destroyed while the SDK is being loaded ends and sends nothing', async () => {
  await using rig = await startRig();
  const uploading = expectFailure(rig.upload(SOURCE), 'E_CLOSED');
  await rig.uploader.destroy();
  await uploading;
  expect(rig.emulator.journal.count({})).toBe(0);
});

test('an uploader that is closed while the SDK is being loaded finishes the upload', async () => {
  await using rig = await startRig();
  const uploading = rig.upload(SOURCE);
  await rig.uploader.close();
  expect(await uploading).toMatchObject({ outcome: 'uploaded' });
});

test.each<{ name: string; client: object; option: string }>([
  {
    name: 'a plug-in that fails',
    client: { extensions: [{ configure: () => fail('no plug-in') }] },
    option: 'client',
  },
  { name: 'an endpoint that is no URL', client: { endpoint: 'registry' }, option: 'endpoint' },
  {
    name: 'credentials that are none',
    client: { credentials: 'AKID' },
    option: 'client.credentials',
  },
])('$name, which only the SDK finds, is told by the first call', async ({ client, option }) => {
  const credentials = { accessKeyId: 'AKID', secretAccessKey: 'secret' };
  await using uploader = createUploader({
    region: 'eu-central-1',
    client: { credentials, ...client },
    workersMax: 1,
    hasher: 'native',
  });
  const error = await expectFailure(
    uploader.uploadLayer({ repository: REPOSITORY, source: SOURCE }),
    'E_OPTION_INVALID',
  );
  expect(error.details.option).toBe(option);
});

function fail(message: string): never {
  throw new Error(message);
}
