import type { Methods, Progress } from './protocol';

/** What computes masks for a view: a worker beside the page, or the kernel of a notebook. */
export interface Engine {
  /** Asks for something to be done; fails with an `EngineProblem`. */
  call<Name extends keyof Methods>(method: Name, ...given: Parameters<Methods[Name]>): Promise<ReturnType<Methods[Name]>>;
  destroy(): void;
}

/** What an engine says by itself. */
export interface EngineEvents {
  progress(progress: Progress): void;
  /** There are masks of a part, and so many nuclei in them. */
  early(version: number, nuclei: number): void;
  /** There is something to be known of the image. */
  remark(text: string): void;
  died(): void;
}

/** What an engine said is wrong; nothing where the work was canceled. */
export class EngineProblem extends Error {
  constructor(
    message: string,
    readonly canceled: boolean,
  ) {
    super(message);
  }
}
