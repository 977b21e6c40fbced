import { describe, expect, test } from 'vitest';
import type { Digest } from '../../src/digest.ts';
import { CompletedLayers } from '../../src/layer/completed-layers.ts';

function digestOf(number: number): Digest {
  return `sha256:${number.toString(16).padStart(64, '0')}`;
}

describe('completed layers', () => {
  test('tell the size of what was completed after the mark, and of nothing before it', () => {
    const layers = new CompletedLayers();
    const start = layers.mark;
    layers.add('team/app', digestOf(1), 7);
    expect(layers.sizeOf('team/app', digestOf(1), start)).toBe(7);
    expect(layers.sizeOf('team/app', digestOf(1), layers.mark)).toBeUndefined();
  });

  test('keep repositories and digests apart', () => {
    const layers = new CompletedLayers();
    layers.add('team/app', digestOf(1), 7);
    expect(layers.sizeOf('team/other', digestOf(1), 0)).toBeUndefined();
    expect(layers.sizeOf('team/app', digestOf(2), 0)).toBeUndefined();
  });

  test('count a layer that is completed again as new', () => {
    const layers = new CompletedLayers();
    layers.add('team/app', digestOf(1), 7);
    const { mark } = layers;
    layers.add('team/app', digestOf(1), 8);
    expect(layers.sizeOf('team/app', digestOf(1), mark)).toBe(8);
  });

  test('forget the one that was completed longest ago when there are more than 20,000', () => {
    const layers = new CompletedLayers();
    for (let number = 0; number < 20_000; number += 1) layers.add('app', digestOf(number), 1);
    expect(layers.sizeOf('app', digestOf(0), 0)).toBe(1);
    layers.add('app', digestOf(0), 1);
    layers.add('app', digestOf(20_000), 1);
    expect(layers.sizeOf('app', digestOf(0), 0)).toBe(1);
    expect(layers.sizeOf('app', digestOf(1), 0)).toBeUndefined();
    expect(layers.sizeOf('app', digestOf(2), 0)).toBe(1);
  });
});
