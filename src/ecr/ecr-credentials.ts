/** How an image in ECR is read: with the password that ECR gives for AWS credentials. */

import type { Agent as HttpsAgent } from 'node:https';
import type { ECRClientConfig } from '@aws-sdk/client-ecr';
import type { NodeHttpHandler } from '@smithy/node-http-handler';
import { proxyFor } from '../network/proxy.ts';

/** `ACCOUNT.dkr.ecr[-fips].REGION.SUFFIX`, or `ACCOUNT.dkr-ecr[-fips].REGION.on.aws` (endpoint lists, H). */
const ECR_HOST = /^[0-9]{12}\.dkr[.-]ecr(-fips)?\.([a-z0-9-]+)\.[a-z0-9.-]+$/;

/**
 * For the `credentials` of `registryImage`: signs in to private registries of ECR with the ordinary AWS
 * settings (`GetAuthorizationToken`, 12 hours, H). Other hosts, and ECR where there are no AWS credentials,
 * are left to Docker's configuration.
 * @param client settings for the AWS client; region and FIPS are those of the host
 * @throws whatever the AWS client throws but for missing credentials
 */
export function ecrCredentials(
  client: ECRClientConfig = {},
): (host: string) => Promise<{ readonly username: string; readonly password: string } | undefined> {
  return async (host) => {
    const [match, fips, region] = ECR_HOST.exec(host) ?? [];
    if (match === undefined || region === undefined) return undefined;
    const { ECRClient, GetAuthorizationTokenCommand } = await import('./ecr-sdk.ts');
    const requestHandler = client.requestHandler ?? (await proxiedHandler(region));
    const ecr = new ECRClient({
      ...client,
      region,
      ...(fips !== undefined && { useFipsEndpoint: true }),
      ...(requestHandler !== undefined && { requestHandler }),
    });
    try {
      const { authorizationData } = await ecr.send(new GetAuthorizationTokenCommand());
      const token = authorizationData?.[0]?.authorizationToken ?? '';
      const [username, password] = Buffer.from(token, 'base64').toString('utf8').split(':');
      if (username === undefined || password === undefined) return undefined;
      return { username, password };
    } catch (error) {
      if (error instanceof Error && error.name === 'CredentialsProviderError') return undefined;
      throw error;
    } finally {
      ecr.destroy();
    }
  };
}

/** The AWS client by itself knows no proxies. */
async function proxiedHandler(region: string): Promise<NodeHttpHandler | undefined> {
  const proxyUrl = proxyFor(`https://api.ecr.${region}.amazonaws.com`, 'environment');
  if (proxyUrl === undefined) return undefined;
  const { createAgent } = await import('../network/agent.ts');
  const agent = await createAgent({
    protocol: 'https:',
    certificateAuthorities: undefined,
    proxyUrl,
  });
  const { NodeHttpHandler: SdkHandler } = await import('./ecr-sdk.ts');
  return new SdkHandler({ httpsAgent: agent as HttpsAgent });
}
