import { markers } from '../../src/nnbook/figures/count_brightness.json';
import { thousands } from '../shared/text';
import { colourOf, LEVELS } from './colours';
import { binnedPoints, type Density } from './density';
import { ticks, toPixels, type Axes, type Frame, type Place } from './axes';
import { placeLabels, type Box, type Places } from './geometry';
import { makeStamp, stampPoints, type Stamp } from './points';

/** Okabe and Ito's vermilion: every reader can distinguish it from all colours of the scale. */
const MARK = { light: '#c04a00', dark: '#ff8a3d' };
const TICK_PX = 5;
/** More points than this in view are binned. */
const MOST_POINTS = 20_000;
const BIN_PX = 3;

/** Colours and type of the page, as the widget's style sheet sets them. */
export interface PageStyle {
  dark: boolean;
  ground: string;
  ink: string;
  quiet: string;
  rule: string;
  accent: string;
  family: string;
}

/** What its axes are called. */
export interface Titles {
  x: string;
  y: string;
}

/** What the plane shows, besides where it is. */
export interface Scene {
  places: Places;
  levels: Uint8Array;
  /** 1 for each point inside the lasso, else 0; null without a lasso. */
  inside: Uint8Array | null;
  /** What colours of binned points are: how many there are, or the mean of their levels. */
  binned: 'count' | 'level';
  titles: Titles;
  centroid: Place | null;
  representatives: { at: number; rank: number }[];
}

/** The marks over the points, which change while the pointer moves. */
export interface Marks {
  pointed: number;
  chosen: number;
  byKeyboard: boolean;
  /** Points that belong together with the one pointed at, or that a search has found. */
  lifted: number[];
  lasso: readonly (readonly [number, number])[] | null;
  drawn: Place[];
  rectangle: [Place, Place] | null;
}

/** Where the plane is on a canvas `width` by `height` CSS pixels, beside the numbers and titles of its axes. */
export function frameOf(context: CanvasRenderingContext2D, axes: Axes, style: PageStyle, width: number, height: number): Frame {
  context.font = font(style);
  const { values, digits } = ticks(axes.y0, axes.y1, 6);
  const widest = Math.max(...values.map((value) => context.measureText(value.toFixed(digits)).width), 20);
  const left = Math.ceil(widest) + TICK_PX + 8;
  return { left, top: 30, width: Math.max(40, width - left - 12), height: Math.max(40, height - 30 - 50) };
}

/** The radius in CSS pixels of so many points. */
export function radiusFor(count: number): number {
  const { px } = markers.find(({ above }) => count > above) ?? { px: 10 };
  return px / 2;
}

/** Draws axes, points, centroid and representatives. */
export function drawPlane(
  context: CanvasRenderingContext2D,
  axes: Axes,
  frame: Frame,
  scene: Scene,
  layer: Layer,
  style: PageStyle,
): void {
  drawAxes(context, axes, frame, scene.titles, style);
  layer.draw(context, frame, scene);
  drawLabels(context, axes, frame, scene, layer.radius, style);
}

/** Where points are drawn before they come onto the plane. */
export class Layer {
  private readonly canvas = document.createElement('canvas');
  private readonly stamp: Stamp;

  constructor(
    readonly radius: number,
    readonly ratio: number,
  ) {
    this.stamp = makeStamp(radius, ratio);
  }

  draw(context: CanvasRenderingContext2D, frame: Frame, scene: Scene): void {
    const { canvas, stamp, ratio } = this;
    const { places, levels, inside } = scene;
    if (hasMoreIn(frame, places, MOST_POINTS)) {
      this.drawDensity(context, frame, scene);
      return;
    }
    const [width, height] = [Math.round(frame.width * ratio), Math.round(frame.height * ratio)];
    [canvas.width, canvas.height] = [width, height];
    const own = canvas.getContext('2d');
    if (!own) return;
    const image = own.createImageData(width, height);
    const raster = { width, height, pixels: new Uint32Array(image.data.buffer) };
    const corner = { left: frame.left, top: frame.top, ratio };
    if (inside) {
      stampPoints(raster, stamp, places, levels, corner, { inside, wanted: 0, faded: true });
      stampPoints(raster, stamp, places, levels, corner, { inside, wanted: 1, faded: false });
    } else stampPoints(raster, stamp, places, levels, corner);
    own.putImageData(image, 0, 0);
    context.drawImage(canvas, frame.left, frame.top, width / ratio, height / ratio);
  }

  /** Draws how many points there are in each square of a grid: more points than can be told apart, in the time of a few. */
  private drawDensity(context: CanvasRenderingContext2D, frame: Frame, { places, levels, inside, binned }: Scene): void {
    const { canvas } = this;
    const density = binnedPoints(places, levels, inside, frame, BIN_PX);
    [canvas.width, canvas.height] = [density.columns, density.rows];
    const own = canvas.getContext('2d');
    if (!own) return;
    const image = own.createImageData(density.columns, density.rows);
    paintDensity(new Uint32Array(image.data.buffer), density, binned);
    own.putImageData(image, 0, 0);
    context.save();
    context.beginPath();
    context.rect(frame.left, frame.top, frame.width, frame.height);
    context.clip();
    context.imageSmoothingEnabled = false;
    context.drawImage(canvas, frame.left, frame.top, density.columns * BIN_PX, density.rows * BIN_PX);
    context.restore();
  }
}

/** Colours of the scale as a canvas has them in memory. */
const INKS = Uint32Array.from({ length: LEVELS }, (_, level) => {
  const [red = 0, green = 0, blue = 0] = (colourOf(level).match(/\d+/g) ?? []).map(Number);
  return (0xff000000 | (blue << 16) | (green << 8) | red) >>> 0;
});
/** A square of which no point is inside the lasso. */
const OUTSIDE = 0x407a7a7a;

function paintDensity(pixels: Uint32Array, { counts, inside, sums }: Density, by: Scene['binned']): void {
  let most = 1;
  for (const count of inside) if (count > most) most = count;
  const scale = (LEVELS - 1) / Math.log1p(most);
  for (let at = 0; at < pixels.length; at++) {
    const [count, all] = [inside[at] ?? 0, counts[at] ?? 0];
    if (all === 0) continue;
    const level = by === 'count' ? Math.log1p(count) * scale : (sums[at] ?? 0) / count;
    pixels[at] = count === 0 ? OUTSIDE : (INKS[Math.round(level)] ?? 0);
  }
}

function hasMoreIn({ left, top, width, height }: Frame, { x, y }: Places, most: number): boolean {
  let count = 0;
  const [right, bottom] = [left + width, top + height];
  for (let at = 0; at < x.length; at++) {
    const [px, py] = [x[at] ?? 0, y[at] ?? 0];
    if (px >= left && px <= right && py >= top && py <= bottom && ++count > most) return true;
  }
  return false;
}

function drawAxes(context: CanvasRenderingContext2D, axes: Axes, frame: Frame, titles: Titles, style: PageStyle): void {
  const bottom = frame.top + frame.height;
  const right = frame.left + frame.width;
  const across = ticks(axes.x0, axes.x1, Math.max(2, Math.floor(frame.width / 80)));
  const up = ticks(axes.y0, axes.y1, Math.max(2, Math.min(8, Math.floor(frame.height / 50))));
  context.font = font(style);
  context.lineWidth = 1;
  const line = (x0: number, y0: number, x1: number, y1: number, colour: string) => {
    context.strokeStyle = colour;
    context.beginPath();
    context.moveTo(x0, y0);
    context.lineTo(x1, y1);
    context.stroke();
  };
  context.fillStyle = style.quiet;
  context.textAlign = 'center';
  context.textBaseline = 'top';
  for (const value of across.values) {
    const x = Math.round(toPixels(axes, frame, { x: value, y: 0 }).x) + 0.5;
    line(x, frame.top, x, bottom, style.rule);
    line(x, bottom, x, bottom + TICK_PX, style.quiet);
    context.fillText(tickText(value, across.digits), x, bottom + TICK_PX + 4);
  }
  context.textAlign = 'right';
  context.textBaseline = 'middle';
  for (const value of up.values) {
    const y = Math.round(toPixels(axes, frame, { x: 0, y: value }).y) + 0.5;
    line(frame.left, y, right, y, style.rule);
    line(frame.left - TICK_PX, y, frame.left, y, style.quiet);
    context.fillText(tickText(value, up.digits), frame.left - TICK_PX - 4, y);
  }
  line(frame.left - 0.5, frame.top, frame.left - 0.5, bottom + 0.5, style.quiet);
  line(frame.left - 0.5, bottom + 0.5, right, bottom + 0.5, style.quiet);
  context.fillStyle = style.ink;
  context.textAlign = 'left';
  context.textBaseline = 'top';
  context.fillText(titles.y, 0, 4);
  context.textAlign = 'center';
  context.textBaseline = 'bottom';
  context.fillText(titles.x, frame.left + frame.width / 2, bottom + 48);
}

function drawLabels(
  context: CanvasRenderingContext2D,
  axes: Axes,
  frame: Frame,
  { places, centroid, representatives }: Scene,
  radius: number,
  style: PageStyle,
): void {
  const mark = style.dark ? MARK.dark : MARK.light;
  const middle = centroid ? toPixels(axes, frame, centroid) : null;
  const ringed = representatives.map(({ at, rank }) => ({ rank, x: places.x[at] ?? 0, y: places.y[at] ?? 0 })).filter(isIn(frame));
  context.lineWidth = radius < 4 ? 1.25 : 1.75;
  context.strokeStyle = style.ink;
  for (const { x, y } of ringed) {
    context.beginPath();
    context.arc(x, y, radius + (radius < 4 ? 2 : 3), 0, 2 * Math.PI);
    context.stroke();
  }
  const shown = middle !== null && isIn(frame)(middle);
  if (shown) drawCross(context, middle, mark, style);
  context.font = font(style, 600);
  const labels = ringed.map(({ rank, x, y }) => ({
    text: String(rank),
    colour: style.ink,
    at: { x, y },
    width: context.measureText(String(rank)).width + 6,
    height: 16,
  }));
  if (shown) {
    labels.push({ text: 'Centroid', colour: mark, at: middle, width: context.measureText('Centroid').width + 6, height: 16 });
  }
  const taken: Box[] = ringed.map(({ x, y }) => ({ x, y, width: radius * 2 + 6, height: radius * 2 + 6 }));
  if (shown) taken.push({ ...middle, width: 18, height: 18 });
  const boxes = placeLabels(labels, middle ?? { x: frame.left, y: frame.top }, taken, frame);
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  context.lineJoin = 'round';
  boxes.forEach((box, at) => {
    const label = labels[at];
    if (!box || !label) return;
    const distance = Math.hypot(box.x - label.at.x, box.y - label.at.y);
    if (distance > 20) {
      const share = (length: number) => length / distance;
      const between = (from: number): Place => ({
        x: label.at.x + (box.x - label.at.x) * share(from),
        y: label.at.y + (box.y - label.at.y) * share(from),
      });
      const [from, to] = [between(radius + 3), between(distance - Math.min(9, distance / 2))];
      for (const [width, colour] of [[3, style.ground], [1, label.colour]] as const) {
        context.lineWidth = width;
        context.strokeStyle = colour;
        context.beginPath();
        context.moveTo(from.x, from.y);
        context.lineTo(to.x, to.y);
        context.stroke();
      }
    }
    context.lineWidth = 4;
    context.strokeStyle = style.ground;
    context.strokeText(label.text, box.x, box.y + 1);
    context.fillStyle = label.colour;
    context.fillText(label.text, box.x, box.y + 1);
  });
}

function drawCross(context: CanvasRenderingContext2D, { x, y }: Place, colour: string, style: PageStyle): void {
  for (const [width, stroke] of [[7, style.ground], [4, colour]] as const) {
    const arm = stroke === colour ? 8 : 9.5;
    context.lineWidth = width;
    context.strokeStyle = stroke;
    context.beginPath();
    context.moveTo(x - arm, y);
    context.lineTo(x + arm, y);
    context.moveTo(x, y - arm);
    context.lineTo(x, y + arm);
    context.stroke();
  }
}

/** Draws what is over the points. */
export function drawMarks(
  context: CanvasRenderingContext2D,
  axes: Axes,
  frame: Frame,
  places: Places,
  marks: Marks,
  radius: number,
  style: PageStyle,
): void {
  context.save();
  context.beginPath();
  context.rect(frame.left, frame.top, frame.width, frame.height);
  context.clip();
  const ring = (at: number, distance: number, width: number, colour: string) => {
    context.lineWidth = width;
    context.strokeStyle = colour;
    context.beginPath();
    context.arc(places.x[at] ?? 0, places.y[at] ?? 0, radius + distance, 0, 2 * Math.PI);
    context.stroke();
  };
  const outline = (path: Place[], closed: boolean) => {
    context.beginPath();
    path.forEach(({ x, y }) => {
      context.lineTo(x, y);
    });
    if (closed) context.closePath();
    context.globalAlpha = 0.1;
    context.fillStyle = style.accent;
    context.fill();
    context.globalAlpha = 1;
    context.lineWidth = 1.5;
    context.strokeStyle = style.accent;
    context.setLineDash([5, 4]);
    context.stroke();
    context.setLineDash([]);
  };
  if (marks.drawn.length > 1) outline(marks.drawn, false);
  else if (marks.lasso) outline(marks.lasso.map(([x, y]) => toPixels(axes, frame, { x, y })), true);
  if (marks.rectangle) {
    const [a, b] = marks.rectangle;
    outline([a, { x: b.x, y: a.y }, b, { x: a.x, y: b.y }], true);
  }
  const lift = marks.lifted.length > 40 ? 1.25 : 2;
  for (const at of marks.lifted) ring(at, 1, lift, style.ink);
  if (marks.chosen >= 0) {
    ring(marks.chosen, 4.5, 6, style.ground);
    ring(marks.chosen, 4.5, 3, style.accent);
  }
  if (marks.pointed >= 0) {
    ring(marks.pointed, 2, 4.5, style.ground);
    ring(marks.pointed, 2, 2.5, style.ink);
    if (marks.byKeyboard) ring(marks.pointed, 7, 2.5, style.accent);
  }
  context.restore();
}

function isIn(frame: Frame): (place: Place) => boolean {
  return ({ x, y }) =>
    x >= frame.left && x <= frame.left + frame.width && y >= frame.top && y <= frame.top + frame.height;
}

export function tickText(value: number, digits: number): string {
  return value.toFixed(digits).replace(/^-?\d+/, thousands);
}

function font(style: PageStyle, weight = 400): string {
  return `${weight} 13px ${style.family}`;
}
