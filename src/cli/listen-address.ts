/** `HOST:PORT` as people write it; who names no host means this machine only. */

import { InvalidArgumentError } from 'commander';

export interface ListenAddress {
  readonly host: string;
  /** 0 for any free one. */
  readonly port: number;
}

const LOOPBACK = '127.0.0.1';
const PORT_MAX = 65_535;

/** `9090`, `:9090`, `0.0.0.0:9090`, `[::]:9090`. */
export function parseListenAddress(text: string): ListenAddress {
  const match = /^(?:(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9.-]+))?:)?(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > PORT_MAX) {
    throw new InvalidArgumentError('Expected HOST:PORT, such as 127.0.0.1:9090 or [::1]:9090.');
  }
  return { host: match[1] ?? match[2] ?? LOOPBACK, port };
}

/** `http://127.0.0.1:9090`. */
export function urlOf({ host, port }: ListenAddress): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
