/** The registry of the Distribution project, as Debian packages it. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { TokenServer } from './token-server.ts';

const PROGRAM = 'docker-registry';

export interface DockerRegistry extends AsyncDisposable {
  readonly host: string;
}

/**
 * @param folder where it may keep its files
 * @param tokens where its users get their tokens; default: everybody may do everything
 */
export async function startDockerRegistry(
  folder: string,
  tokens?: TokenServer,
): Promise<DockerRegistry> {
  const port = await freePort();
  const root = join(folder, 'registry');
  await mkdir(root);
  const config = join(folder, 'config.yml');
  const lines = [
    'version: 0.1',
    'log: { level: error }',
    'storage:',
    `  filesystem: { rootdirectory: ${root} }`,
    `http: { addr: "127.0.0.1:${port}" }`,
  ];
  if (tokens !== undefined) {
    const bundle = join(folder, 'token.pem');
    await writeFile(bundle, tokens.certificate);
    const { realm, service, issuer } = tokens;
    const token = { realm, service, issuer, rootcertbundle: bundle };
    // JSON is YAML.
    lines.push(`auth: ${JSON.stringify({ token })}`);
  }
  await writeFile(config, `${lines.join('\n')}\n`);
  const child = spawn(PROGRAM, ['serve', config], { stdio: 'ignore' });
  const ended = once(child, 'exit');
  const host = `127.0.0.1:${port}`;
  const isUp = async (): Promise<boolean> => {
    const reply = await fetch(`http://${host}/v2/`).catch(() => undefined);
    await reply?.arrayBuffer();
    return reply?.status === (tokens === undefined ? 200 : 401);
  };
  while (child.exitCode === null && !(await isUp())) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  return {
    host,
    [Symbol.asyncDispose]: async () => {
      child.kill();
      await ended;
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
