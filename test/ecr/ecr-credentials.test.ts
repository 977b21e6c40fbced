import { expect, test } from 'vitest';
import { startEmulator } from '../../src/emulator/index.ts';
import { ecrCredentials } from '../../src/index.ts';

const HOST = '123456789012.dkr.ecr.us-east-1.amazonaws.com';

test('hosts of ECR get the password that lets a client in', async () => {
  await using emulator = await startEmulator();
  const { endpoint, credentials, registryHost } = emulator;
  const found = await ecrCredentials({ endpoint, credentials })(HOST);
  if (found === undefined) throw new Error('no credentials');
  expect(found.username).toBe('AWS');
  const authorization = Buffer.from(`${found.username}:${found.password}`).toString('base64');
  const url = `http://${registryHost}/v2/`;
  const answered = await fetch(url, { headers: { authorization: `Basic ${authorization}` } });
  expect(answered.status).toBe(200);
});

test.each([
  '123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com',
  '123456789012.dkr-ecr.eu-central-1.on.aws',
  '123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn',
])('%s is asked in its own region', async (host) => {
  const regions: string[] = [];
  const requestHandler = {
    handle: (request: { headers: Record<string, string> }) => {
      regions.push(/\/([a-z0-9-]+)\/ecr\//.exec(request.headers['authorization'] ?? '')?.[1] ?? '');
      return Promise.reject(new Error('far enough'));
    },
  };
  const credentials = { accessKeyId: 'AKID', secretAccessKey: 'secret' };
  const client = { credentials, maxAttempts: 1, requestHandler: requestHandler as never };
  await expect(ecrCredentials(client)(host)).rejects.toThrow('far enough');
  expect(regions).toEqual([host.split('.').find((part) => /^[a-z]+-[a-z-]+-\d$/.test(part))]);
});

test.each(['ghcr.io', 'public.ecr.aws', 'localhost:5000', `evil.example/${HOST}`])(
  '%s is left to others',
  async (host) => {
    expect(await ecrCredentials()(host)).toBeUndefined();
  },
);

test('where there are no AWS credentials, ECR is left to others too', async () => {
  const credentials = () => {
    const error = new Error('nothing found');
    error.name = 'CredentialsProviderError';
    return Promise.reject(error);
  };
  expect(await ecrCredentials({ credentials })(HOST)).toBeUndefined();
});
