// What a JSON file holds is untrusted: each of these gives null, or no, for anything but what is wanted.

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

export function numberOf(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

/** The absolute form of an address that is relative to `address`. */
export function resolve(relative: string | null, address: string): string | null {
  return relative !== null && URL.canParse(relative, address) ? new URL(relative, address).href : null;
}

/** Names of files and folders in which nothing is to be escaped, and which lead nowhere else. */
const PLAIN = /^\w[\w.-]*(?:\/\w[\w.-]*)*$/;

/** Resolves many addresses that are relative to one: of a table of 16,000 panoramas, in a tenth of the time that `URL` takes. */
export function resolver(address: string): (relative: string | null) => string | null {
  const folder = resolve('.', address);
  return (relative) => (folder !== null && relative !== null && PLAIN.test(relative) ? folder + relative : resolve(relative, address));
}
