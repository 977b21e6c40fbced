import type { Scenario } from './scenario.ts';
import { encodeScenario } from './scenarios/encode.ts';
import { hashScenario } from './scenarios/hash.ts';
import { imageScenario } from './scenarios/image.ts';
import { layerScenario } from './scenarios/layer.ts';
import { wanScenario } from './scenarios/wan.ts';
import { manyScenario } from './scenarios/many.ts';
import { memoryScenario } from './scenarios/memory.ts';
import { profileScenario } from './scenarios/profile.ts';
import { smokeScenario } from './scenarios/smoke.ts';
import { startupScenario } from './scenarios/startup.ts';
import { syncScenario } from './scenarios/sync.ts';

/** In the order in which they run. */
export const SCENARIOS: readonly Scenario[] = [
  hashScenario,
  encodeScenario,
  layerScenario,
  imageScenario,
  wanScenario,
  manyScenario,
  memoryScenario,
  startupScenario,
  syncScenario,
  profileScenario,
  smokeScenario,
];
