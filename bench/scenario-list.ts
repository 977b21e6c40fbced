import type { Scenario } from './scenario.ts';
import { encodeScenario } from './scenarios/encode.ts';
import { hashScenario } from './scenarios/hash.ts';
import { layerScenario } from './scenarios/layer.ts';

/** In the order in which they run. */
export const SCENARIOS: readonly Scenario[] = [hashScenario, encodeScenario, layerScenario];
