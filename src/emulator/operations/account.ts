/** Operations on the registry as a whole. */

import { DOCKER_USERNAME } from '../authorization-token.ts';
import { EcrException } from '../exception.ts';
import { operation, timestamp } from '../operation.ts';
import type { OperationHandler } from '../operation.ts';

/** Known settings, their values, the default first (API reference, M). */
const ACCOUNT_SETTINGS: ReadonlyMap<string, readonly string[]> = new Map([
  ['BASIC_SCAN_TYPE_VERSION', ['AWS_NATIVE', 'CLAIR']],
  ['REGISTRY_POLICY_SCOPE', ['V2', 'V1']],
  ['BLOB_MOUNTING', ['DISABLED', 'ENABLED']],
]);

interface AuthorizationInput {
  readonly registryIds?: readonly string[];
}

export const getAuthorizationToken: OperationHandler = operation<AuthorizationInput>(
  ({ registryIds }, { now, options, registryHost, tokens }) => {
    const scheme = options.tls === undefined ? 'http' : 'https';
    const { expiresAtMs, password } = tokens.issue(now());
    const authorization = {
      authorizationToken: Buffer.from(`${DOCKER_USERNAME}:${password}`).toString('base64'),
      expiresAt: timestamp(expiresAtMs),
      // With its scheme, as ECR gives it (API reference, H).
      proxyEndpoint: `${scheme}://${registryHost}`,
    };
    return { authorizationData: (registryIds ?? [options.registryId]).map(() => authorization) };
  },
);

export const putAccountSetting: OperationHandler = operation<{
  readonly name: string;
  readonly value: string;
}>(async ({ name, value }, { registry }) => {
  const values = valuesOf(name);
  if (!values.includes(value)) {
    throw new EcrException(
      'ValidationException',
      `The value '${value.slice(0, 64)}' of the setting '${name}' must be one of ${values.join(', ')}`,
    );
  }
  await registry.store.saveSetting(name, value);
  registry.settings.set(name, value);
  return { name, value };
});

export const getAccountSetting: OperationHandler = operation<{ readonly name: string }>(
  ({ name }, { registry }) => ({ name, value: registry.settings.get(name) ?? valuesOf(name)[0] }),
);

function valuesOf(name: string): readonly string[] {
  const values = ACCOUNT_SETTINGS.get(name);
  if (values !== undefined) return values;
  throw new EcrException('ValidationException', `The account setting '${name}' is not known`);
}
