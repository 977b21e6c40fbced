import { once } from 'node:events';
import { connect } from 'node:net';
import type { Emulator } from '../../src/emulator/index.ts';

/** Writes text as it stands and gives what comes back, however wrong the text is. */
export async function rawRequest(emulator: Emulator, text: string): Promise<string> {
  const { hostname, port } = new URL(emulator.endpoint);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined);
  socket.write(text);
  let reply = '';
  socket.on('data', (chunk) => {
    reply += String(chunk);
    socket.end();
  });
  await once(socket, 'close');
  return reply;
}
