/** What is wrong with a file, in one line for the reader. */
export class FileProblem extends Error {}
