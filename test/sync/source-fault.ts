/** What goes wrong at a source registry, and when. */

/** Which requests a rule is about. */
export type RequestKind = 'manifest' | 'blob' | 'tags' | 'referrers' | 'catalog';

export type SourceFaultAction =
  /** The connection breaks behind so many bytes of the reply. */
  | { readonly kind: 'drop'; readonly afterBytes: number }
  /** As many bytes as there should be, but the first of them is another. */
  | { readonly kind: 'wrong-bytes' }
  | {
      readonly kind: 'refuse';
      readonly statusCode: number;
      readonly code?: string;
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** Comes in pieces of so many bytes, with a pause between them. */
  | { readonly kind: 'drip'; readonly pieceBytes: number; readonly pauseMs: number }
  /** Nothing more comes behind so many bytes until then. */
  | { readonly kind: 'hold'; readonly afterBytes: number; readonly until: Promise<void> };

/** Strikes requests that say all that the rule says; of several rules the first strikes. */
export interface SourceFault {
  readonly on: RequestKind;
  readonly method?: 'GET' | 'HEAD';
  readonly repository?: string;
  /** Tag or digest. */
  readonly reference?: string;
  /** From the nth matching request on, from 1. Default 1. */
  readonly nth?: number;
  /** So many of them. Default 1. */
  readonly times?: number;
  readonly action: SourceFaultAction;
}

/** What changes at the registry while it is read. */
export interface SourceChange {
  /** Takes place before the reply to so many requests for manifests, counted from 1. */
  readonly beforeManifestRequest: number;
  readonly repository: string;
  readonly change:
    | { readonly kind: 'move-tag'; readonly tag: string; readonly digest: string }
    /** The manifest and the tags that point to it. */
    | { readonly kind: 'remove-manifest'; readonly digest: string };
}

export interface FaultSubject {
  readonly on: RequestKind;
  readonly method: string;
  readonly repository: string;
  readonly reference: string;
}

export class SourceFaultPlan {
  readonly #rules: { readonly fault: SourceFault; seenCount: number }[] = [];

  add(faults: readonly SourceFault[]): void {
    for (const fault of faults) this.#rules.push({ fault, seenCount: 0 });
  }

  clear(): void {
    this.#rules.length = 0;
  }

  /** Counts the request, and says what it meets. */
  actionFor(subject: FaultSubject): SourceFaultAction | undefined {
    let action: SourceFaultAction | undefined;
    for (const rule of this.#rules) {
      const { on, method, repository, reference, nth = 1, times = 1 } = rule.fault;
      const matches =
        on === subject.on &&
        (method ?? subject.method) === subject.method &&
        (repository ?? subject.repository) === subject.repository &&
        (reference ?? subject.reference) === subject.reference;
      if (!matches) continue;
      rule.seenCount += 1;
      const isDue = rule.seenCount >= nth && rule.seenCount < nth + times;
      if (isDue) action ??= rule.fault.action;
    }
    return action;
  }
}
