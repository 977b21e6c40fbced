/** A command cannot do its work, and the message says all there is to know. */
export class CommandFailure extends Error {}
