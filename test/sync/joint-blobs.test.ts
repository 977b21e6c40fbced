import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { Digest } from '../../src/digest.ts';
import type { PlannedBlob } from '../../src/image/image-plan.ts';
import type { LayerSource } from '../../src/layer/layer-source.ts';
import { SharedBlobs, type SharingMember } from '../../src/sync/joint-blobs.ts';
import { SharedReads } from '../../src/sync/joint-read.ts';
import { countedSource } from './counted-source.ts';
import { fakeSource } from './fake-source.ts';
import { VirtualTime } from './virtual-time.ts';

const digestOf = (index: number): Digest => `sha256:${String(index).padStart(64, '0')}`;
const blobOf = (index: number): PlannedBlob => ({
  digest: digestOf(index),
  sizeBytes: 1000,
  mediaType: 'application/vnd.oci.image.layer.v1.tar',
  kind: 'layer',
  action: 'upload',
  reason: 'missing',
});
const quiet = (): AbortSignal => new AbortController().signal;
const taking =
  (...blobs: readonly number[]) =>
  (): ReadonlySet<Digest> =>
    new Set(blobs.map(digestOf));

interface Rig {
  readonly time: VirtualTime;
  readonly counted: ReturnType<typeof countedSource>;
  readonly members: readonly [SharingMember, SharingMember, SharingMember];
}

/** An image on its way to three targets. */
function rig(): Rig {
  const time = new VirtualTime();
  const { startTimer } = time;
  const counted = countedSource({ sizeBytes: 1000 });
  const source = fakeSource({ blob: () => counted });
  const shared = new SharedBlobs(new SharedReads({ startTimer }), source, 3, startTimer);
  return { time, counted, members: [shared.join(), shared.join(), shared.join()] };
}

async function isOver(work: Promise<unknown>): Promise<boolean> {
  return Promise.race([work.then(() => true), setImmediate(false)]);
}

async function readAll(source: LayerSource | undefined): Promise<void> {
  if (source === undefined) throw new Error('it is not shared');
  const opened = await source.open(quiet());
  await opened.read(new Uint8Array(1000), 0, quiet());
  await opened.close();
}

describe('targets that get the same image', () => {
  test('wait until it is known of all what they lack', async () => {
    const { members, time } = rig();
    const [first, second, third] = members;
    const waits = [first.planned(taking(1), quiet()), second.planned(taking(1), quiet())];
    expect(await isOver(Promise.race(waits))).toBe(false);
    const last = third.planned(taking(), quiet());
    expect(await isOver(Promise.all([...waits, last]))).toBe(true);
    expect(time.timerCount).toBe(0);
  });

  test('do not wait for one that has ended', async () => {
    const { members, time } = rig();
    const [first, second, third] = members;
    third.leave();
    const waits = [first.planned(taking(1), quiet()), second.planned(taking(1), quiet())];
    expect(await isOver(Promise.all(waits))).toBe(true);
    expect(time.timerCount).toBe(0);
  });

  test('claim their blobs together, when all have planned, in one turn', async () => {
    const { members } = rig();
    const claims: string[] = [];
    const claim = (name: string) => (): ReadonlySet<Digest> => {
      claims.push(name);
      return new Set();
    };
    const [first, second, third] = members;
    const waits = [third.planned(claim('c'), quiet()), first.planned(claim('a'), quiet())];
    await setImmediate();
    expect(claims).toEqual([]);
    waits.push(second.planned(claim('b'), quiet()));
    expect(claims).toEqual(['a', 'b', 'c']);
    await Promise.all(waits);
  });

  test('claim nothing any more once they have ended', async () => {
    const { members } = rig();
    const [first, second, third] = members;
    const end = new AbortController();
    let isClaimed = false;
    const wait = first.planned(() => {
      isClaimed = true;
      return new Set();
    }, end.signal);
    const reason = new Error('enough');
    end.abort(reason);
    await expect(wait).rejects.toBe(reason);
    first.leave();
    await Promise.all([second, third].map((member) => member.planned(taking(), quiet())));
    expect(isClaimed).toBe(false);
  });

  test('do not wait for ever for one that does not plan, which then goes on alone', async () => {
    const { members, time, counted } = rig();
    const [first, second, late] = members;
    await time.runUntil(
      Promise.all([first.planned(taking(1), quiet()), second.planned(taking(1), quiet())]),
    );
    expect(time.nowMs).toBe(30_000);
    await Promise.all([first, second].map((member) => readAll(member.sourceOf(blobOf(1)))));
    expect(counted.starts).toHaveLength(1);
    await late.planned(taking(1), quiet());
    expect(late.sourceOf(blobOf(1))).toBeUndefined();
    expect(time.timerCount).toBe(0);
  });

  test('read a blob once if several of them take it, and by themselves if one does', async () => {
    const { members, counted, time } = rig();
    const [first, second, third] = members;
    await Promise.all([
      first.planned(taking(1, 2), quiet()),
      second.planned(taking(1), quiet()),
      third.planned(taking(), quiet()),
    ]);
    expect(first.sourceOf(blobOf(2))).toBeUndefined();
    expect(third.sourceOf(blobOf(1))).toBeUndefined();
    await Promise.all([first, second].map((member) => readAll(member.sourceOf(blobOf(1)))));
    expect(counted.starts).toHaveLength(1);
    expect(counted.readBytes()).toBe(1000);
    for (const member of members) member.leave();
    expect({ timers: time.timerCount, open: counted.openCount() }).toEqual({ timers: 0, open: 0 });
  });

  test('do not wait for one that got the blob another way, before or after the others began', async () => {
    for (const isBefore of [true, false]) {
      const { members, time } = rig();
      const [first, second, third] = members;
      await Promise.all(members.map((member) => member.planned(taking(1), quiet())));
      if (isBefore) third.doWithout(digestOf(1));
      const sources = [first, second].map((member) => member.sourceOf(blobOf(1)));
      if (!isBefore) third.doWithout(digestOf(1));
      await Promise.all(sources.map((source) => readAll(source)));
      expect({ nowMs: time.nowMs, timers: time.timerCount }).toEqual({ nowMs: 0, timers: 0 });
    }
  });

  test('do not wait for one that leaves while they read', async () => {
    const { members, time } = rig();
    const [first, second, third] = members;
    await Promise.all(members.map((member) => member.planned(taking(1), quiet())));
    const reading = [first, second].map((member) => readAll(member.sourceOf(blobOf(1))));
    await setImmediate();
    third.leave();
    third.leave();
    await Promise.all(reading);
    expect({ nowMs: time.nowMs, timers: time.timerCount }).toEqual({ nowMs: 0, timers: 0 });
  });

  test('read by themselves where reading twice costs nothing', async () => {
    const source = fakeSource({});
    const shared = new SharedBlobs(new SharedReads(), source, 2);
    const members = [shared.join(), shared.join()];
    await Promise.all(members.map((member) => member.planned(taking(1), quiet())));
    for (const member of members) expect(member.sourceOf(blobOf(1))).toBeUndefined();
  });
});
