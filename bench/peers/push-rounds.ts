/** longshore and every peer that is there push the same image in turn. */

import { findPeers } from './peer-search.ts';
import { runPeer } from './peer-run.ts';
import type { PushedImage } from '../report/push-table.ts';
import { pushSection } from '../report/push-table.ts';
import type { ScenarioContext, Section } from '../scenario.ts';
import type { Contestant, Run } from '../harness/contestant-run.ts';
import { runContestant } from '../harness/contestant-run.ts';
import type { Rounds } from '../harness/interleaved-rounds.ts';
import { runFairly } from '../harness/fair-rounds.ts';
import { Server } from '../harness/server-process.ts';

const MIB: number = 2 ** 20;

const LONGSHORE: readonly Contestant[] = [
  { name: 'longshore, default', program: 'longshore-image' },
  {
    name: 'longshore, best',
    program: 'longshore-image',
    options: { partSizeBytes: 20 * MIB, bytesInMemoryMax: 512 * MIB },
  },
];

/** Who has more memory to give can keep more layers and larger parts under way. */
const LONGSHORE_NOTE =
  'longshore: default = no options; best = partSizeBytes 20 MiB, bytesInMemoryMax 512 MiB';

interface Pusher {
  readonly name: string;
  push(): Promise<Run>;
}

/** The link is that of the image's description. */
export async function pushInTurn(
  pushed: PushedImage,
  rounds: Rounds,
  context: ScenarioContext,
): Promise<Section> {
  const programs = (await context.programs()).files;
  await using server = await Server.start(programs.server, { tls: false, link: pushed.link });
  const { found, notes } = findPeers();
  const pushers: Pusher[] = [
    ...LONGSHORE.map((contestant) => ({
      name: contestant.name,
      push: () => {
        const task = { layers: [], layersInFlight: 1, layout: pushed.image.folder };
        return runContestant(contestant, programs['longshore-image'], task, server);
      },
    })),
    ...found.flatMap((peer) =>
      // Where only the machinery is tried, one setting of each is enough.
      peer.settings.slice(0, context.patient ? undefined : 1).map((setting) => ({
        name: `${peer.peer.name}, ${setting.name}`,
        push: () => runPeer(peer, setting, pushed.image, server),
      })),
    ),
  ];
  const runs = await runFairly(
    pushers,
    rounds,
    async (pusher, round) => {
      const run = await pusher.push();
      context.progress(`${pushed.title}, ${round}: ${pusher.name} ${Math.round(run.wallMs)} ms`);
      return run;
    },
    context,
  );
  const named = pushers.map(({ name }, index) => ({ name, runs: runs[index] ?? [] }));
  const settings = found.map(
    ({ peer, version, settings: known }) =>
      `${peer.name} ${version}: ${known.map(({ name, summary }) => `${name} = ${summary}`).join('; ')}`,
  );
  return pushSection(pushed, named, [LONGSHORE_NOTE, ...settings, ...notes]);
}
