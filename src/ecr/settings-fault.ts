/** Settings that the SDK refuses, with plain errors, before anything is sent. */

import { LongshoreError } from '../errors.ts';
import { RegistryFault } from '../layer/ports.ts';

/** `undefined` if `thrown` is something else. */
export function settingsFault(thrown: unknown): RegistryFault | undefined {
  if (!(thrown instanceof Error)) return undefined;
  const { name, message } = thrown;
  if (/^Region (is missing|not accepted)/.test(message)) {
    return invalid(
      'region',
      'an AWS region such as eu-central-1, from the option region, AWS_REGION or the profile',
      message,
      thrown,
    );
  }
  if (name === 'EndpointError') {
    return invalid('endpoint', 'settings that lead to an endpoint', message, thrown);
  }
  return undefined;
}

function invalid(
  option: string,
  expected: string,
  received: string,
  cause: unknown,
): RegistryFault {
  const message = `${option}: expected ${expected}; the AWS SDK says: ${received}`;
  const details = { option, expected, received };
  const error = new LongshoreError('E_OPTION_INVALID', message, details, { cause });
  return new RegistryFault('final', error);
}
