/** An error whose message is shown to the reader. */
export class Problem extends Error {}
