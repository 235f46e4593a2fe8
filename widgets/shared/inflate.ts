/** Inflates so many bytes. By hand, in a fifth of the time that piping a blob into a response takes. */
export async function inflated(stored: Uint8Array<ArrayBuffer>, bytes: number, format: 'gzip' | 'deflate'): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new DecompressionStream(format);
  const writer = stream.writable.getWriter();
  // The reader of the stream gets the error.
  writer.write(stored).catch(() => undefined);
  writer.close().catch(() => undefined);
  const reader = stream.readable.getReader();
  const pixels = new Uint8Array(bytes);
  let at = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    if (at + value.length > bytes) throw new Error('an image of another size');
    pixels.set(value, at);
    at += value.length;
  }
  if (at !== bytes) throw new Error('an image of another size');
  return pixels;
}
