/** Something went wrong that the reader is told about; the message is in words for the reader. */
export class Problem extends Error {}
