/** A client and a registry for it that misbehaves. */

import type { RegistryOptions } from '../../src/registry/client-options.ts';
import { RegistryClient } from '../../src/registry/registry-client.ts';
import { type FakeOptions, type FakeRegistry, startRegistry } from './fake-registry.ts';
import { type TestSurroundings, testSurroundings } from './test-surroundings.ts';

export interface ClientRig extends AsyncDisposable {
  readonly registry: FakeRegistry;
  readonly client: RegistryClient;
  readonly surroundings: TestSurroundings;
}

export async function startRig(
  fake: FakeOptions = {},
  options: RegistryOptions = {},
  surroundings: TestSurroundings = testSurroundings(),
): Promise<ClientRig> {
  const registry = await startRegistry(fake);
  const client = new RegistryClient(registry.host, { proxy: 'none', ...options }, surroundings);
  return {
    registry,
    client,
    surroundings,
    [Symbol.asyncDispose]: async () => {
      await client.close();
      await registry[Symbol.asyncDispose]();
    },
  };
}
