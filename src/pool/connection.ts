/** The worker's own connections, kept alive from one job to the next. */

import type { Agent } from 'node:http';
import type { ConnectionSettings } from '../layer/part-transmitter.ts';
import { createAgent } from '../network/agent.ts';

const agents = new Map<string, Promise<Agent>>();

export function agentFor(protocol: string, settings: ConnectionSettings): Promise<Agent> {
  const { certificateAuthorities, proxyUrl } = settings;
  // A thread belongs to one uploader, whose authorities stay the same.
  const key = `${protocol} ${proxyUrl ?? ''}`;
  let agent = agents.get(key);
  if (agent === undefined) {
    agent = createAgent({ protocol, certificateAuthorities, proxyUrl });
    agents.set(key, agent);
  }
  return agent;
}
