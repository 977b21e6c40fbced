/** What ECR tells of the registry as a whole: one call each, no retries, faults as data. */

import type { CallTally, Ecr, EcrCaller } from './ecr-caller.ts';
import { wrongReply } from './ecr-caller.ts';

/** The way into the docker door. */
export interface RegistryLogin {
  /** Where `/v2` is: `https://ACCOUNT.dkr.ecr.REGION.amazonaws.com`. */
  readonly endpoint: URL;
  /** Value of the header of that name: a secret. */
  readonly authorization: string;
}

/** For messages of calls that are about no repository. */
const NO_REPOSITORY = '(none)';
/** `ACCOUNT.dkr...`, as in the hosts of ECR's registries. */
const ACCOUNT_OF_HOST = /^[0-9]{12}(?=\.dkr[.-])/;

export class EcrAccount {
  readonly #caller: EcrCaller;
  readonly #tally: CallTally | undefined;

  constructor(caller: EcrCaller, tally?: CallTally) {
    this.#caller = caller;
    this.#tally = tally;
  }

  /** A password, good for 12 hours (H), for every registry that the credentials may use. */
  async logIn(signal: AbortSignal): Promise<RegistryLogin> {
    const context = { operation: 'GetAuthorizationToken', repository: NO_REPOSITORY };
    const { authorizationData } = await this.#call(context.operation, signal, ({ client, sdk }) =>
      client.send(new sdk.GetAuthorizationTokenCommand(), { abortSignal: signal }),
    );
    const { authorizationToken, proxyEndpoint } = authorizationData?.[0] ?? {};
    if (authorizationToken === undefined || proxyEndpoint === undefined) {
      throw wrongReply(context, 'a token and where it is good for', 'something else');
    }
    if (!URL.canParse(proxyEndpoint)) throw wrongReply(context, 'a URL', proxyEndpoint);
    const endpoint = new URL(proxyEndpoint);
    const { registryId } = this.#caller.registry;
    // It names the registry of the credentials; to ask for another one's is deprecated (model, H).
    if (registryId !== undefined) {
      endpoint.hostname = endpoint.hostname.replace(ACCOUNT_OF_HOST, registryId);
    }
    // The token is user and password, encoded as the header wants them (API reference, H).
    return { endpoint, authorization: `Basic ${authorizationToken}` };
  }

  /** The value of an account setting, such as `BLOB_MOUNTING`. */
  async setting(name: string, signal: AbortSignal): Promise<string | undefined> {
    const { value } = await this.#call('GetAccountSetting', signal, ({ client, sdk }) =>
      client.send(new sdk.GetAccountSettingCommand({ name }), { abortSignal: signal }),
    );
    return value;
  }

  #call<T>(operation: string, signal: AbortSignal, send: (ecr: Ecr) => Promise<T>): Promise<T> {
    return this.#caller.call({ operation, repository: NO_REPOSITORY }, this.#tally, signal, send);
  }
}
