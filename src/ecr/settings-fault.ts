/** Settings that the SDK refuses, with plain errors, before anything is sent. */

import { LongshoreError, systemCodeOf } from '../errors.ts';
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
  if (name === 'EndpointError' || systemCodeOf(thrown) === 'ERR_INVALID_URL') {
    return invalid('endpoint', 'settings that lead to an endpoint', message, thrown);
  }
  if (message === 'Resolved credential object is not valid') {
    return invalid(
      'client.credentials',
      'credentials, or a function that gives them',
      message,
      thrown,
    );
  }
  return undefined;
}

/** What the AWS client cannot be made of. */
export function clientFault(thrown: unknown): RegistryFault {
  const received = thrown instanceof Error ? thrown.message : String(thrown);
  return invalid('client', 'settings that the AWS client takes', received, thrown);
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
