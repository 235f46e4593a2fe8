import type { Grid } from './filters';

/** Numbers the parts of what is not 0 that hang together by sides; returns them with how many there are. */
export function components({ width, height, values }: Grid): { labels: Uint8Array; count: number } {
  const labels = new Uint8Array(width * height);
  let count = 0;
  for (let first = 0; first < labels.length; first++) {
    if ((values[first] ?? 0) === 0 || labels[first] !== 0) continue;
    count += 1;
    const waiting = [first];
    labels[first] = count;
    for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
      const x = at % width;
      const beside = [at - width, at + width, ...(x > 0 ? [at - 1] : []), ...(x < width - 1 ? [at + 1] : [])];
      for (const next of beside) {
        if ((values[next] ?? 0) === 0 || labels[next] !== 0) continue;
        labels[next] = count;
        waiting.push(next);
      }
    }
  }
  return { labels, count };
}

export interface Part {
  readonly label: number;
  readonly area: number;
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  readonly x: number;
  readonly y: number;
}

/** Area, box and centre of each label, in px. */
export function parts({ width, values }: Grid): Part[] {
  const found = new Map<number, { area: number; x: number; y: number; left: number; right: number; top: number; bottom: number }>();
  for (let at = 0; at < values.length; at++) {
    const label = values[at] ?? 0;
    if (label === 0) continue;
    const [x, y] = [at % width, Math.floor(at / width)];
    const part = found.get(label) ?? { area: 0, x: 0, y: 0, left: x, right: x, top: y, bottom: y };
    found.set(label, { area: part.area + 1, x: part.x + x, y: part.y + y, left: Math.min(part.left, x), right: Math.max(part.right, x), top: part.top, bottom: y });
  }
  return [...found]
    .sort(([one], [other]) => one - other)
    .map(([label, { area, x, y, left, right, top, bottom }]) => ({ label, area, left, top, width: right - left + 1, height: bottom - top + 1, x: x / area + 0.5, y: y / area + 0.5 }));
}
