/** What ECR, or something in front of it, answers. */

import type { FaultAction } from '../../src/emulator/index.ts';
import type { Ending, EcrOperation, Expectation, Fault } from './fault.ts';
import { ECR_OPERATIONS } from './fault.ts';

export const ASKS_AGAIN = 'asks again, with growing pauses';
export const LOOKS_UP = 'asks again, then looks whether the layer is there';
export const GIVES_UP = 'gives up at once';
const STARTS_AGAIN = 'begins another upload, once';
const FINDS = 'takes it as done';

type Exception = Extract<FaultAction, { kind: 'fail' }>;

function everywhereBut(...without: readonly EcrOperation[]): EcrOperation[] {
  return ECR_OPERATIONS.filter((operation) => !without.includes(operation));
}

/** A fault of calls that may be repeated; its code if it lasts. */
function repeated(
  name: string,
  action: FaultAction,
  lasting: Ending,
  answer: string = ASKS_AGAIN,
): Fault {
  return {
    name,
    injection: { by: 'emulator', action: () => action },
    expectations: [{ operations: ECR_OPERATIONS, answer, passing: 'finishes', lasting }],
  };
}

/** As `repeated`, but the call has taken place: a Complete that is looked up is found. */
function landed(name: string, action: FaultAction, lasting: Ending): Fault {
  return {
    name,
    injection: { by: 'emulator', action: () => action },
    expectations: [
      {
        operations: everywhereBut('CompleteLayerUpload', 'UploadLayerPart'),
        answer: ASKS_AGAIN,
        passing: 'finishes',
        lasting,
      },
      {
        operations: ['UploadLayerPart'],
        answer: 'sends the part again; the refusal tells that it landed',
        passing: 'finishes',
        lasting,
      },
      {
        operations: ['CompleteLayerUpload'],
        answer: LOOKS_UP,
        passing: 'finishes',
        lasting: 'finishes',
      },
    ],
  };
}

/** An exception of ECR's model. */
function exception(
  name: string,
  expectations: readonly (Pick<Expectation, 'operations'> & {
    readonly ending: Ending;
    readonly answer?: string;
  })[],
  more: Partial<Exception> = {},
): Fault {
  return {
    name: `\`${name}\``,
    injection: { by: 'emulator', action: () => ({ kind: 'fail', exception: name, ...more }) },
    expectations: expectations.map(({ operations, ending, answer = GIVES_UP }) => ({
      operations,
      answer,
      passing: ending,
      lasting: ending,
    })),
  };
}

function page(httpStatus: number, lasting: Ending): Fault {
  return repeated(
    `a page of HTML with status ${httpStatus}`,
    { kind: 'garbage', form: 'html', httpStatus },
    lasting,
  );
}

const SERVER_EXCEPTION = { kind: 'fail', exception: 'ServerException', httpStatus: 500 } as const;

const TRANSIENT: readonly Fault[] = [
  repeated('`ServerException`', SERVER_EXCEPTION, 'E_REGISTRY_FAULT'),
  landed(
    '`ServerException`, though the call took place',
    { ...SERVER_EXCEPTION, committed: true },
    'E_REGISTRY_FAULT',
  ),
  ...[500, 502, 503, 504, 408].map((status) => page(status, 'E_REGISTRY_FAULT')),
  page(429, 'E_THROTTLED'),
  repeated(
    'a burst of `ThrottlingException`',
    { kind: 'throttle' },
    'E_THROTTLED',
    'asks again, with pauses that are never short',
  ),
  repeated(
    'a burst of `TooManyRequestsException`',
    { kind: 'fail', exception: 'TooManyRequestsException', httpStatus: 429 },
    'E_THROTTLED',
    'asks again, with pauses that are never short',
  ),
  landed('the reply is lost, though the call took place', { kind: 'lose-reply' }, 'E_NETWORK'),
];

const UNREADABLE: readonly Fault[] = [
  landed('a reply that is not JSON', { kind: 'garbage', form: 'not-json' }, 'E_REGISTRY_PROTOCOL'),
  landed(
    'a reply that is half a JSON',
    { kind: 'garbage', form: 'cut-json' },
    'E_REGISTRY_PROTOCOL',
  ),
  {
    name: 'a wrong `lastByteReceived`',
    injection: { by: 'emulator', action: () => ({ kind: 'garbage', form: 'wrong-last-byte' }) },
    expectations: [
      {
        operations: ['UploadLayerPart'],
        answer: 'sends the part again; the refusal tells that it landed',
        passing: 'finishes',
        lasting: 'finishes',
      },
    ],
  },
  {
    name: 'the digest of other bytes',
    injection: { by: 'emulator', action: () => ({ kind: 'garbage', form: 'wrong-layer-digest' }) },
    expectations: [
      {
        operations: ['CompleteLayerUpload'],
        answer: GIVES_UP,
        passing: 'E_REGISTRY_PROTOCOL',
        lasting: 'E_REGISTRY_PROTOCOL',
      },
    ],
  },
];

const SLOW: readonly Fault[] = [
  {
    ...repeated('no reply ever (a black hole)', { kind: 'stall' }, 'E_TIMEOUT'),
    isImpatient: true,
    strikesMax: 1,
  },
  {
    ...landed('a reply that drips', { kind: 'drip', bytesPerSecond: 4 }, 'E_TIMEOUT'),
    isImpatient: true,
    strikesMax: 1,
  },
];

const SIGNING: readonly Fault[] = [
  {
    ...repeated(
      'the credentials expire, and there are new ones',
      { kind: 'fail', exception: 'ExpiredTokenException' },
      'E_CREDENTIALS',
      'asks for new credentials, then again at once',
    ),
    login: 'renewing',
  },
  exception('ExpiredTokenException', [{ operations: ECR_OPERATIONS, ending: 'E_CREDENTIALS' }]),
  exception('UnrecognizedClientException', [
    { operations: ECR_OPERATIONS, ending: 'E_CREDENTIALS' },
  ]),
  exception('AccessDeniedException', [
    { operations: everywhereBut('DescribeRepositories'), ending: 'E_ACCESS_DENIED' },
    {
      operations: ['DescribeRepositories'],
      ending: 'finishes',
      answer: 'goes on: `PutImage` will tell',
    },
  ]),
  {
    name: "ECR's clock is another",
    injection: {
      by: 'emulator-at-large',
      action: (random) => ({
        kind: 'skew-clock',
        skewMs: (random() < 0.5 ? -1 : 1) * (10 + Math.floor(random() * 600)) * 60_000,
      }),
    },
    expectations: [
      {
        operations: ECR_OPERATIONS,
        answer: "signs by ECR's clock",
        passing: 'finishes',
        lasting: 'finishes',
      },
    ],
  },
  repeated(
    "`Signature expired`, also by ECR's own clock",
    {
      kind: 'fail',
      exception: 'InvalidSignatureException',
      message: 'Signature expired: 20260101T000000Z is now earlier than 20260101T000500Z',
    },
    'E_CLOCK_SKEW',
    "signs by ECR's clock",
  ),
];

const UPLOAD_LOST: Omit<Fault, 'name' | 'injection'> = {
  startsAgain: true,
  strikesMax: 1,
  expectations: [
    {
      operations: ['UploadLayerPart', 'CompleteLayerUpload'],
      answer: STARTS_AGAIN,
      passing: 'finishes',
      lasting: 'E_UPLOAD_LOST',
    },
  ],
};

const REFUSED: readonly Fault[] = [
  exception('InvalidParameterException', [
    { operations: ECR_OPERATIONS, ending: 'E_REQUEST_INVALID' },
  ]),
  exception('ValidationException', [
    { operations: ['ListImageReferrers'], ending: 'E_REQUEST_INVALID' },
  ]),
  exception('RepositoryNotFoundException', [
    { operations: everywhereBut('CreateRepository'), ending: 'E_REPOSITORY_NOT_FOUND' },
  ]),
  exception('KmsException', [
    {
      operations: [
        'CreateRepository',
        'InitiateLayerUpload',
        'UploadLayerPart',
        'CompleteLayerUpload',
        'PutImage',
      ],
      ending: 'E_KMS',
    },
  ]),
  exception('LimitExceededException', [
    {
      operations: ['CreateRepository', 'UploadLayerPart', 'BatchGetImage', 'PutImage'],
      ending: 'E_QUOTA_EXCEEDED',
    },
  ]),
  exception(
    'RepositoryAlreadyExistsException',
    [{ operations: ['CreateRepository'], ending: 'finishes', answer: FINDS }],
    { committed: true },
  ),
  exception('InvalidTagParameterException', [
    { operations: ['CreateRepository'], ending: 'E_REQUEST_INVALID' },
  ]),
  exception('TooManyTagsException', [
    { operations: ['CreateRepository'], ending: 'E_REQUEST_INVALID' },
  ]),
  {
    ...UPLOAD_LOST,
    name: '`UploadNotFoundException`',
    injection: {
      by: 'emulator',
      action: () => ({ kind: 'fail', exception: 'UploadNotFoundException' }),
    },
  },
  {
    ...UPLOAD_LOST,
    name: 'ECR forgets the upload',
    injection: { by: 'emulator', action: () => ({ kind: 'forget-upload' }) },
  },
  {
    name: '`InvalidLayerPartException` that does not tell what ECR has',
    injection: {
      by: 'emulator',
      action: () => ({ kind: 'fail', exception: 'InvalidLayerPartException' }),
    },
    startsAgain: true,
    strikesMax: 1,
    expectations: [
      {
        operations: ['UploadLayerPart'],
        answer: STARTS_AGAIN,
        passing: 'finishes',
        lasting: 'E_PART_REJECTED',
      },
    ],
  },
  ...['EmptyUploadException', 'InvalidLayerException', 'LayerPartTooSmallException'].map((name) =>
    exception(name, [{ operations: ['CompleteLayerUpload'], ending: 'E_LAYER_REJECTED' }]),
  ),
  exception(
    'LayerAlreadyExistsException',
    [{ operations: ['CompleteLayerUpload'], ending: 'finishes', answer: FINDS }],
    { committed: true },
  ),
];

const IMAGES: readonly Fault[] = [
  exception('UnableToGetUpstreamImageException', [
    { operations: ['BatchGetImage'], ending: 'E_REQUEST_INVALID' },
  ]),
  exception(
    'ImageAlreadyExistsException',
    [{ operations: ['PutImage'], ending: 'finishes', answer: FINDS }],
    { committed: true },
  ),
  exception('ImageDigestDoesNotMatchException', [
    { operations: ['PutImage'], ending: 'E_IMAGE_REJECTED' },
  ]),
  {
    ...exception('ImageTagAlreadyExistsException', [
      {
        operations: ['PutImage'],
        ending: 'E_TAG_IMMUTABLE',
        answer: 'looks where the tag points; gives up if elsewhere',
      },
    ]),
    isOfTag: true,
  },
  ...['LayersNotFoundException', 'ReferencedImagesNotFoundException'].map((name): Fault => ({
    name: `\`${name}\``,
    injection: { by: 'emulator', action: () => ({ kind: 'fail', exception: name }) },
    waits: true,
    expectations: [
      {
        operations: ['PutImage'],
        answer:
          name === 'LayersNotFoundException'
            ? 'waits, up to six seconds; sends again what is gone'
            : 'waits, up to six seconds',
        passing: 'finishes',
        lasting: 'E_IMAGE_REJECTED',
      },
    ],
  })),
  ...['LayersNotFoundException', 'LayerInaccessibleException'].map((name) =>
    exception(name, [
      {
        operations: ['GetDownloadUrlForLayer'],
        ending: 'E_VERIFICATION_FAILED',
        answer: 'notes it, and verifies the rest',
      },
    ]),
  ),
  exception('UnableToGetUpstreamLayerException', [
    { operations: ['GetDownloadUrlForLayer'], ending: 'E_REQUEST_INVALID' },
  ]),
  exception('UnableToListUpstreamImageReferrersException', [
    { operations: ['ListImageReferrers'], ending: 'E_REQUEST_INVALID' },
  ]),
];

export const REPLY_FAULTS: readonly Fault[] = [
  ...TRANSIENT,
  ...UNREADABLE,
  ...SLOW,
  ...SIGNING,
  ...REFUSED,
  ...IMAGES,
];
