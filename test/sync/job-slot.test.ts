import pLimit from 'p-limit';
import fc from 'fast-check';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { JobSlot } from '../../src/sync/job-slot.ts';

const quiet = (): AbortSignal => new AbortController().signal;

async function settle(): Promise<void> {
  await setImmediate();
  await setImmediate();
}

describe('a place for an image', () => {
  test('is given back when all its targets have ended', async () => {
    const slots = pLimit(1);
    const slot = await JobSlot.take(slots, 2, quiet());
    const [first, second] = [slot.share(), slot.share()];
    first.leave();
    await settle();
    expect(slots.activeCount).toBe(1);
    second.leave();
    second.leave();
    await settle();
    expect(slots.activeCount).toBe(0);
  });

  test('is kept while one blob is sent and another waits', async () => {
    const slots = pLimit(1);
    const share = (await JobSlot.take(slots, 1, quiet())).share();
    share.planned(3);
    share.wait();
    share.wait();
    await settle();
    expect(slots.activeCount).toBe(1);
    share.obtained();
    await settle();
    expect(slots.activeCount).toBe(0);
  });

  test('is kept while only one of two targets waits', async () => {
    const slots = pLimit(1);
    const slot = await JobSlot.take(slots, 2, quiet());
    const [first, second] = [slot.share(), slot.share()];
    for (const share of [first, second]) share.planned(1);
    first.wait();
    await settle();
    expect(slots.activeCount).toBe(1);
    second.wait();
    await settle();
    expect(slots.activeCount).toBe(0);
  });

  test('is not lost to the other target when one breaks off while several of its blobs wait', async () => {
    const slots = pLimit(1);
    const slot = await JobSlot.take(slots, 2, quiet());
    const [broken, sound] = [slot.share(), slot.share()];
    broken.planned(3);
    for (let blob = 0; blob < 3; blob += 1) broken.wait();
    for (let blob = 0; blob < 3; blob += 1) broken.obtained();
    broken.leave();
    await settle();
    expect(slots.activeCount).toBe(1);
    sound.leave();
    await settle();
    expect(slots.activeCount).toBe(0);
  });

  test('is waited for once a blob need not wait any more', async () => {
    const slots = pLimit(1);
    const share = (await JobSlot.take(slots, 1, quiet())).share();
    share.planned(1);
    const resume = share.wait();
    const other = await JobSlot.take(slots, 1, quiet());
    let isBack = false;
    const back = resume().then(() => {
      isBack = true;
    });
    await settle();
    expect(isBack).toBe(false);
    other.share().leave();
    await back;
    expect(slots.activeCount).toBe(1);
    share.leave();
    await settle();
    expect(slots.activeCount).toBe(0);
  });

  test('that comes after everybody has given up goes on to the next', async () => {
    const slots = pLimit(1);
    const share = (await JobSlot.take(slots, 1, quiet())).share();
    share.planned(1);
    const resume = share.wait();
    const other = (await JobSlot.take(slots, 1, quiet())).share();
    const back = resume();
    share.leave();
    other.leave();
    await back;
    await settle();
    expect(slots.activeCount).toBe(0);
  });

  test('is not waited for after an abort', async () => {
    const slots = pLimit(1);
    const end = new AbortController();
    const reason = new Error('enough');
    const share = (await JobSlot.take(slots, 1, end.signal)).share();
    share.planned(1);
    const resume = share.wait();
    const other = (await JobSlot.take(slots, 1, quiet())).share();
    const back = resume();
    end.abort(reason);
    await expect(back).rejects.toBe(reason);
    await expect(JobSlot.take(slots, 1, end.signal)).rejects.toBe(reason);
    share.leave();
    other.leave();
    await settle();
    expect(slots.activeCount).toBe(0);
  });

  test('is never had by more images than may be at work, whatever the order of things', async () => {
    const images = fc.array(fc.array(fc.array(fc.boolean(), { maxLength: 4 }), { minLength: 1 }), {
      minLength: 1,
      maxLength: 8,
    });
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.integer({ min: 1, max: 3 }),
        images,
        async (s, max, jobs) => {
          const slots = pLimit(max);
          const sending = new Map<number, number>();
          const send = async (job: number): Promise<void> => {
            sending.set(job, (sending.get(job) ?? 0) + 1);
            expect(sending.size).toBeLessThanOrEqual(max);
            await s.schedule(Promise.resolve(), 'sent');
            const left = (sending.get(job) ?? 0) - 1;
            if (left > 0) sending.set(job, left);
            else sending.delete(job);
          };
          const work = jobs.map(async (deliveries, job) => {
            const slot = await JobSlot.take(slots, deliveries.length, quiet());
            await Promise.all(
              deliveries.map(async (blobs) => {
                const share = slot.share();
                share.planned(blobs.length);
                const obtaining = blobs.map(async (mustWait) => {
                  if (mustWait) {
                    const resume = share.wait();
                    await s.schedule(Promise.resolve(), 'waited for');
                    await resume();
                  }
                  await send(job);
                  share.obtained();
                });
                await Promise.all(obtaining);
                share.leave();
              }),
            );
          });
          await s.waitFor(Promise.all(work));
          await settle();
          expect({ held: slots.activeCount, waiting: slots.pendingCount }).toEqual({
            held: 0,
            waiting: 0,
          });
        },
      ),
      { numRuns: 60 },
    );
  });
});
