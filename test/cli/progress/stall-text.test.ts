import { expect, test } from 'vitest';
import { StallRemarks } from '../../../src/cli/progress/stall-text.ts';
import type { LayerEvent } from '../../../src/index.ts';

type Stall = Extract<LayerEvent, { readonly type: 'layer-stalled' }>;

const stall: Stall = {
  type: 'layer-stalled',
  repository: 'team/app',
  source: 'app.tar',
  layerId: 1,
  partIndex: 2,
  waitingFor: 'reply',
  waitedMs: 30_000,
  action: 'none',
};

test('a stall is told with its layer, its part, how long it lasts and what to look at', () => {
  expect(new StallRemarks().of(stall, 0)).toBe(
    'app.tar: part 3 stands still for 30 s: ECR does not answer',
  );
  const { partIndex: _left, ...whole } = stall;
  const call: Stall = { ...whole, operation: 'CompleteLayerUpload', waitingFor: 'call' };
  expect(new StallRemarks().of(call, 0, 'sha256:0123')).toBe(
    'sha256:0123: CompleteLayerUpload stands still for 30 s: ECR does not answer',
  );
  const source: Stall = { ...whole, waitingFor: 'source' };
  expect(new StallRemarks().of(source, 0)).toBe(
    'app.tar: stands still for 30 s: nothing comes from the source, see what feeds it',
  );
});

test('of many parts that wait for the same, one is told of', () => {
  const remarks = new StallRemarks();
  expect(remarks.of(stall, 0)).toBeDefined();
  expect(remarks.of({ ...stall, partIndex: 3 }, 1)).toBeUndefined();
  expect(remarks.of({ ...stall, waitingFor: 'source' }, 1)).toBeDefined();
  expect(remarks.of(stall, 6000)).toBeDefined();
});

test('what was done about it has texts of its own', () => {
  expect(new StallRemarks().of({ ...stall, action: 'new-connection' }, 0)).toBeUndefined();
});
