/** What the handlers of `/v2` requests share. */

import type { EcrService } from '../ecr-service.ts';
import type { ApiCalls } from './api-calls.ts';

export interface RequestContext {
  readonly service: EcrService;
  readonly calls: ApiCalls;
  readonly query: URLSearchParams;
  /** Scheme and host by which the client reached the emulator: replies lead back there. */
  readonly origin: string;
}
