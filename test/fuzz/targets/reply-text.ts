/** Replies as text: the status, headers one a line, an empty line, the body. */

export interface ReplyText {
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer;
}

export function replyTextOf(input: Buffer): ReplyText {
  const mark = input.indexOf('\n\n');
  const headEnd = mark === -1 ? input.length : mark;
  const [first = '', ...lines] = input.toString('latin1', 0, headEnd).split('\n');
  const status = Number.parseInt(first, 10);
  return {
    status: status >= 100 && status < 600 ? status : 200,
    headers: lines.flatMap((line) => {
      const colon = line.indexOf(':');
      return colon < 1
        ? []
        : [[line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()]];
    }),
    body: input.subarray(headEnd + 2),
  };
}
