/** Work for one registry: run under the caller's signal and the owner's own, images loaded when wanted. */

import type { ImageStation } from './image-station.ts';
import type { RunningWork } from './running-work.ts';
import type { RegistryStations } from './stations.ts';

export class RegistryWork {
  readonly #own: RegistryStations;
  readonly #work: RunningWork;
  #imageStation: Promise<ImageStation> | undefined;

  constructor(own: RegistryStations, work: RunningWork) {
    this.#own = own;
    this.#work = work;
  }

  start<T>(
    callSignal: AbortSignal | undefined,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    return this.#work.start(callSignal, (signal) => {
      const running = work(signal);
      this.#own.caller.warm();
      return running;
    });
  }

  /** Loaded with the first image: who uploads layers only should not pay for it. */
  images(): Promise<ImageStation> {
    this.#imageStation ??= import('./image-station.ts').then(
      ({ ImageStation: Station }) => new Station(this.#own.images),
    );
    return this.#imageStation;
  }
}
