/** Something went wrong that the reader is told about; the message is in words for the reader. */
export class Problem extends Error {}

/** Fetches a text; `what` names it in the message if that fails. */
export async function fetchText(address: string, what: string, signal: AbortSignal): Promise<string> {
  try {
    const response = await fetch(address, { signal });
    if (response.ok) return await response.text();
  } catch (error) {
    if (signal.aborted) throw error;
  }
  throw new Problem(`${what} could not be loaded. Check the connection, then reload the page.`);
}
