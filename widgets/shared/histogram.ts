const SIDE = 256;

/** Counts the grey levels of what a canvas shows, in about 65,000 of its pixels; transparent ones are beside the image. */
export function countLevels(canvas: HTMLCanvasElement): Uint32Array {
  const counts = new Uint32Array(256);
  const sample = document.createElement('canvas');
  sample.width = Math.min(SIDE, canvas.width);
  sample.height = Math.min(SIDE, canvas.height);
  const context = sample.getContext('2d', { willReadFrequently: true });
  if (!context || sample.width === 0 || sample.height === 0) return counts;
  // Single pixels, not means of several: those would narrow the histogram.
  context.imageSmoothingEnabled = false;
  context.drawImage(canvas, 0, 0, sample.width, sample.height);
  const { data } = context.getImageData(0, 0, sample.width, sample.height);
  for (let at = 0; at < data.length; at += 4) {
    const level = data[at] ?? 0;
    if (data[at + 3] === 255) counts[level] = (counts[level] ?? 0) + 1;
  }
  return counts;
}

/** The outline of a histogram as an SVG path of 256 by `height`; logarithms of the counts, so that rare levels are seen too. */
export function histogramPath(counts: Uint32Array, height: number): string {
  const highest = Math.log1p(Math.max(...counts));
  if (highest === 0) return '';
  const tops = Array.from(counts, (count) => (height * (1 - Math.log1p(count) / highest)).toFixed(1));
  return `M0 ${height}${tops.map((top, at) => `V${top}H${at + 1}`).join('')}V${height}Z`;
}
