/** An emulator, the ways to it, and uploaders that many runs share. */

import {
  BatchGetImageCommand,
  CreateRepositoryCommand,
  DeleteRepositoryCommand,
  ECRClient,
} from '@aws-sdk/client-ecr';
import { startEmulator } from '../../src/emulator/index.ts';
import type { Emulator, EmulatorOptions, JournalEntry } from '../../src/emulator/index.ts';
import { createUploader } from '../../src/index.ts';
import type { Uploader, UploaderOptions } from '../../src/index.ts';
import { MIB } from '../../src/limits.ts';
import { temporaryFolder } from '../package/temporary-folder.ts';
import { Gateway } from './gateway.ts';
import { LayerPool } from './layer-pool.ts';
import { RouteSwitch } from './wrong-route.ts';

const ATTEMPTS_MAX = 4;
const PERSISTENT_ATTEMPTS_MAX = 50;
/** Far above what a call takes here, unless it is never answered. */
const PATIENCE_MS = 10_000;
/** Much more than a busy machine takes, and not more than can be waited for. */
const IMPATIENCE_MS = 1000;
const IMPATIENT_ATTEMPTS_MAX = 3;

export interface Setting {
  /** Which window and hasher; see {@link VARIATIONS}. */
  readonly variation: number;
  readonly way: 'straight' | 'gateway' | 'route';
  readonly isImpatient: boolean;
  readonly createsRepository: boolean;
  /** Attempts that the registry's restart may cost. */
  readonly isPersistent: boolean;
}

/** Nothing special. */
export const PATIENT: Setting = {
  variation: 0,
  way: 'straight',
  isImpatient: false,
  createsRepository: false,
  isPersistent: false,
};

const VARIATIONS: readonly UploaderOptions[] = [
  { hasher: 'native', partsInFlight: 1 },
  { hasher: 'wasm', partsInFlight: 3 },
  { hasher: 'native', partsInFlight: 3 },
];

const ANY_RATE = {
  InitiateLayerUpload: Infinity,
  UploadLayerPart: Infinity,
  CompleteLayerUpload: Infinity,
  PutImage: Infinity,
  BatchCheckLayerAvailability: Infinity,
  BatchGetImage: Infinity,
  GetDownloadUrlForLayer: Infinity,
} as const;

export interface FaultRigOptions {
  readonly emulator?: EmulatorOptions;
  readonly login?: 'renewing';
}

export class FaultRig implements AsyncDisposable {
  readonly layers: LayerPool;
  readonly gateway: Gateway;
  readonly route: RouteSwitch;
  readonly #folder = temporaryFolder();
  readonly #options: FaultRigOptions;
  readonly #uploaders = new Map<string, Uploader>();
  readonly #client: ECRClient;
  #emulator: Emulator;
  #isAway = false;
  #restarting: Promise<void> | undefined;
  /** Of emulators that are gone. */
  #entries: readonly JournalEntry[] = [];
  #gatewayEndpoint = '';
  #tokenCount = 0;

  static async start(options: FaultRigOptions = {}): Promise<FaultRig> {
    const rig = new FaultRig(options, await startEmulator(options.emulator));
    rig.#gatewayEndpoint = await rig.gateway.listen();
    await rig.route.listen();
    return rig;
  }

  private constructor(options: FaultRigOptions, emulator: Emulator) {
    this.#options = options;
    this.#emulator = emulator;
    this.layers = new LayerPool(this.#folder.path);
    this.gateway = new Gateway({
      target: () => (this.#isAway ? undefined : this.#emulator.endpoint),
      restart: () => {
        this.#restarting ??= this.#restart();
      },
    });
    this.route = new RouteSwitch(() => this.#emulator.endpoint);
    const { region, credentials } = emulator;
    this.#client = new ECRClient({
      region,
      credentials,
      requestHandler: {
        handle: (request: never, handlerOptions: never) =>
          this.#emulator.requestHandler.handle(request, handlerOptions),
      } as never,
    });
  }

  get emulator(): Emulator {
    return this.#emulator;
  }

  /** One of those that many runs share. */
  uploader(setting: Setting): Uploader {
    const variation = setting.variation % VARIATIONS.length;
    const key = JSON.stringify({ ...setting, variation });
    let uploader = this.#uploaders.get(key);
    if (uploader === undefined) {
      uploader = createUploader({ ...this.#optionsFor(setting), ...VARIATIONS[variation] });
      this.#uploaders.set(key, uploader);
    }
    return uploader;
  }

  /** Nothing may be under way any more, and nothing held. */
  idleUploaders(): readonly Uploader[] {
    return [...this.#uploaders.values()];
  }

  async makeRepository(repositoryName: string): Promise<void> {
    await this.#client.send(new CreateRepositoryCommand({ repositoryName }));
  }

  async dropRepository(repositoryName: string): Promise<void> {
    const command = new DeleteRepositoryCommand({ repositoryName, force: true });
    await this.#client.send(command).catch(() => undefined);
  }

  /** The manifest that a tag gives. */
  async manifestOf(repositoryName: string, imageTag: string): Promise<string | undefined> {
    const { images } = await this.#client.send(
      new BatchGetImageCommand({ repositoryName, imageIds: [{ imageTag }] }),
    );
    return images?.[0]?.imageManifest;
  }

  entries(repositoryName: string): readonly JournalEntry[] {
    return this.#allEntries().filter((entry) => entry.repositoryName === repositoryName);
  }

  /** Of a repository, where the request names it. */
  entriesOf(operation: string, repositoryName: string): readonly JournalEntry[] {
    return this.#allEntries().filter(
      (entry) =>
        entry.operation === operation &&
        (entry.repositoryName === undefined || entry.repositoryName === repositoryName),
    );
  }

  /** After the runs of one fault. */
  async settle(): Promise<void> {
    await this.#restarting;
    this.#restarting = undefined;
    this.#emulator.clearFaults();
    this.#emulator.journal.clear();
    this.#entries = [];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#restarting;
    await Promise.all([...this.#uploaders.values()].map((uploader) => uploader.close()));
    await this.gateway[Symbol.asyncDispose]();
    await this.route[Symbol.asyncDispose]();
    this.#client.destroy();
    await this.#emulator.stop();
    this.#folder[Symbol.dispose]();
  }

  #allEntries(): readonly JournalEntry[] {
    return [...this.#entries, ...this.#emulator.journal.entries()];
  }

  async #restart(): Promise<void> {
    this.#isAway = true;
    const before = this.#emulator;
    await before.stop();
    this.#entries = [...this.#entries, ...before.journal.entries()];
    this.#emulator = await startEmulator(this.#options.emulator);
    this.#isAway = false;
    this.#restarting = undefined;
  }

  #optionsFor(setting: Setting): UploaderOptions {
    const { way, isImpatient, createsRepository, isPersistent } = setting;
    const { region, credentials, endpoint } = this.#emulator;
    const waitMs = isImpatient ? IMPATIENCE_MS : PATIENCE_MS;
    const provider = (): Promise<object> => {
      this.#tokenCount += 1;
      return Promise.resolve({ ...credentials, sessionToken: `token-${this.#tokenCount}` });
    };
    return {
      region,
      ...(way !== 'route' && { endpoint: way === 'gateway' ? this.#gatewayEndpoint : endpoint }),
      client: {
        ...(way === 'route' && this.route.client),
        credentials: (this.#options.login === 'renewing' ? provider : credentials) as never,
      },
      createRepository: createsRepository,
      workersMax: 1,
      partSizeBytes: 5 * MIB,
      bytesInMemoryMax: 64 * MIB,
      attemptsMax: attemptsOf(setting),
      retryDelayMs: 1,
      retryDelayMsMax: isPersistent ? 20 : 3,
      connectTimeoutMs: PATIENCE_MS,
      stallTimeoutMs: waitMs,
      replyTimeoutMs: waitMs,
      callsPerSecondMax: ANY_RATE,
      proxy: 'none',
    };
  }
}

function attemptsOf({ isPersistent, isImpatient }: Setting): number {
  if (isPersistent) return PERSISTENT_ATTEMPTS_MAX;
  return isImpatient ? IMPATIENT_ATTEMPTS_MAX : ATTEMPTS_MAX;
}
