import { describe, expect, test } from 'vitest';
import { RepositoryCalls } from '../../src/layer/repository-calls.ts';
import { failureOf, finish, layerRig, withClock } from './layer-rig.ts';
import { digestOfSize, faultOf } from './model-registry.ts';

const DIGEST = digestOfSize(7);

withClock();

function callsOf(repository: string, createRepository: boolean) {
  const rig = layerRig({ createRepository });
  const calls = new RepositoryCalls(rig.context, repository, rig.progress, rig.abort.signal);
  return { rig, calls };
}

describe('a call of a layer', () => {
  test('is waited for by its name as long as it lasts', async () => {
    const { rig, calls } = callsOf('team/app', false);
    const seen: unknown[] = [];
    rig.registry.answer('hasLayer', async (own) => {
      seen.push(...rig.progress.movements);
      return own();
    });
    rig.registry.answer('initiateUpload', async (own) => {
      seen.push(...rig.progress.movements);
      return own();
    });
    expect(await finish(calls.hasLayer(DIGEST))).toBe(false);
    expect(await finish(calls.initiateUpload())).toMatchObject({ uploadId: 'upload 1' });
    expect(seen).toMatchObject([
      { waitingFor: 'call', operation: 'BatchCheckLayerAvailability' },
      { waitingFor: 'call', operation: 'InitiateLayerUpload' },
    ]);
    expect(rig.progress.movements).toEqual([]);
  });

  test('is repeated, told of each time, and given up with what ECR said', async () => {
    const { rig, calls } = callsOf('team/app', true);
    const faults = [1, 2, 3].map(() => faultOf('throttled', 'E_THROTTLED'));
    rig.registry.answer('hasLayer', ...faults);
    expect(await failureOf(calls.hasLayer(DIGEST))).toBe(faults[2]?.error);
    expect(rig.eventsOf('call-retried')).toMatchObject([
      { operation: 'BatchCheckLayerAvailability', attempt: 1, code: 'E_THROTTLED' },
      { operation: 'BatchCheckLayerAvailability', attempt: 2, code: 'E_THROTTLED' },
    ]);
    expect(rig.eventsOf('call-retried')[0]).not.toHaveProperty('partIndex');
    expect(rig.registry.calls).toEqual(['hasLayer', 'hasLayer', 'hasLayer']);
  });

  test('ends with the reason of an abort, and with what is no answer of the registry', async () => {
    const { rig, calls } = callsOf('team/app', true);
    const reason = new TypeError('a defect');
    rig.registry.answer('hasLayer', () => Promise.reject(reason));
    expect(await failureOf(calls.hasLayer(DIGEST))).toBe(reason);
    rig.abort.abort(reason);
    rig.registry.answer('hasLayer', faultOf('throttled', 'E_THROTTLED'));
    expect(await failureOf(calls.hasLayer(DIGEST))).toBe(reason);
  });
});

describe('a repository that is missing', () => {
  test('is made where that is wanted, told of, and asked again', async () => {
    const { rig, calls } = callsOf('team/new', true);
    rig.registry.answer('createRepository', faultOf('throttled', 'E_THROTTLED'));
    expect(await finish(calls.initiateUpload())).toMatchObject({ uploadId: 'upload 1' });
    expect(rig.registry.calls).toEqual([
      'initiateUpload',
      'createRepository',
      'createRepository',
      'initiateUpload',
    ]);
    expect(rig.events.map(({ type }) => type)).toEqual(['call-retried', 'repository-created']);
    expect(rig.eventsOf('call-retried')).toMatchObject([{ operation: 'CreateRepository' }]);
  });

  test('and that somebody else has made meanwhile is not told of', async () => {
    const { rig, calls } = callsOf('team/new', true);
    rig.registry.answer('createRepository', async (own) => {
      await own();
      return false;
    });
    await finish(calls.initiateUpload());
    expect(rig.events).toEqual([]);
  });

  test('is an error where it is not to be made', async () => {
    const { rig, calls } = callsOf('team/new', false);
    expect(await failureOf(calls.hasLayer(DIGEST))).toMatchObject({
      code: 'E_REPOSITORY_NOT_FOUND',
    });
    expect(rig.registry.calls).toEqual(['hasLayer']);
  });

  test('and that may not be made is an error that says so', async () => {
    const { rig, calls } = callsOf('team/new', true);
    const denied = faultOf('final', 'E_ACCESS_DENIED');
    rig.registry.answer('createRepository', denied);
    expect(await failureOf(calls.hasLayer(DIGEST))).toBe(denied.error);
  });

  test('is not thought of after another failure', async () => {
    const { rig, calls } = callsOf('team/app', true);
    const denied = faultOf('final', 'E_ACCESS_DENIED');
    rig.registry.answer('hasLayer', denied);
    expect(await failureOf(calls.hasLayer(DIGEST))).toBe(denied.error);
    expect(rig.registry.calls).toEqual(['hasLayer']);
  });
});
