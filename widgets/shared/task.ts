/** Waits for the next task: what came in between is heard first, and the browser may draw. */
export function nextTask(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve);
  });
}
