/** What only the way to ECR can do. */

import type { Ending, Expectation, Fault, Operation } from './fault.ts';
import { ECR_OPERATIONS, OPERATIONS } from './fault.ts';
import type { GatewayAct } from './gateway.ts';
import { ASKS_AGAIN, GIVES_UP, LOOKS_UP } from './reply-faults.ts';
import type { WrongRoute } from './wrong-route.ts';

function wire(
  name: string,
  kind: 'reset-before' | 'reset-inside' | 'reset-after' | 'black-hole' | 'restart',
  lasting: Ending,
  operations: readonly Operation[] = ECR_OPERATIONS,
): Fault {
  return {
    name,
    injection: { by: 'gateway', act: (random) => ({ kind, fraction: random() }) },
    expectations: [{ operations, answer: ASKS_AGAIN, passing: 'finishes', lasting }],
  };
}

function route(name: string, wrongRoute: WrongRoute, passing: Ending): Fault {
  return {
    name,
    injection: { by: 'route', route: wrongRoute },
    expectations: [
      {
        operations: ECR_OPERATIONS,
        answer: passing === 'finishes' ? ASKS_AGAIN : GIVES_UP,
        passing,
        lasting: 'E_NETWORK',
      },
    ],
  };
}

function download(
  name: string,
  act: (fraction: number) => GatewayAct,
  ending: Pick<Expectation, 'answer' | 'passing' | 'lasting'>,
): Fault {
  return {
    name,
    injection: { by: 'gateway', act: (random) => act(random()) },
    expectations: [{ operations: ['download of a blob'], ...ending }],
  };
}

const RETRIED = {
  answer: 'asks for another URL, with growing pauses',
  passing: 'finishes',
} as const;
const NOTED = {
  answer: 'notes it, and verifies the rest',
  passing: 'E_VERIFICATION_FAILED',
  lasting: 'E_VERIFICATION_FAILED',
} as const;

export const NETWORK_FAULTS: readonly Fault[] = [
  wire('the connection breaks before the body', 'reset-before', 'E_NETWORK'),
  wire('the connection breaks inside the body', 'reset-inside', 'E_NETWORK'),
  wire('the connection breaks after the body, and nothing took place', 'reset-after', 'E_NETWORK'),
  {
    name: 'the reply is cut',
    injection: {
      by: 'gateway',
      act: (random) => ({ kind: 'cut-reply', fraction: random() }),
    },
    expectations: [
      {
        operations: ECR_OPERATIONS.filter((operation) => operation !== 'CompleteLayerUpload'),
        answer: ASKS_AGAIN,
        passing: 'finishes',
        lasting: 'E_NETWORK',
      },
      {
        operations: ['CompleteLayerUpload'],
        answer: LOOKS_UP,
        passing: 'finishes',
        lasting: 'finishes',
      },
    ],
  },
  {
    ...wire('nothing is taken any more inside the body', 'black-hole', 'E_TIMEOUT', [
      'UploadLayerPart',
    ]),
    isImpatient: true,
    strikesMax: 1,
  },
  {
    // Every time would be a registry that is never there: the rows above.
    ...wire('the registry is stopped and started again', 'restart', 'finishes', OPERATIONS),
    strikesMax: 1,
  },
  route('the name of ECR is unknown (DNS)', 'unknown-name', 'finishes'),
  route('nothing listens', 'closed-port', 'finishes'),
  route('no TLS on the other side', 'no-tls', 'finishes'),
  route('a certificate that nobody trusts', 'untrusted', 'E_NETWORK'),
  ...[500, 502, 503, 504].map((httpStatus) =>
    download(`status ${httpStatus}`, () => ({ kind: 'status', httpStatus, fraction: 0 }), {
      ...RETRIED,
      lasting: 'E_NETWORK',
    }),
  ),
  ...[403, 404].map((httpStatus) =>
    download(`status ${httpStatus}`, () => ({ kind: 'status', httpStatus, fraction: 0 }), NOTED),
  ),
  download('other bytes', (fraction) => ({ kind: 'wrong-bytes', fraction }), NOTED),
  download(
    'the connection breaks before the reply',
    () => ({ kind: 'reset-before', fraction: 0 }),
    {
      ...RETRIED,
      lasting: 'E_NETWORK',
    },
  ),
  download('the reply is cut', (fraction) => ({ kind: 'cut-reply', fraction }), {
    ...RETRIED,
    lasting: 'E_NETWORK',
  }),
  ...(['black-hole', 'stuck-reply'] as const).map((kind) => ({
    ...download(
      kind === 'black-hole' ? 'no reply ever' : 'the reply stops in the middle',
      (fraction) => ({ kind, fraction }),
      { ...RETRIED, lasting: 'E_TIMEOUT' },
    ),
    isImpatient: true,
    strikesMax: 1,
  })),
];
