import { Choices } from '../shared/choices';
import { disclosureButton, textButton, textElement } from '../shared/elements';
import type { Place, ZoomStage } from '../shared/zoomstage';
import type { Edit } from './protocol';

/** What a click or a stroke does. */
export type Tool = 'choose' | 'draw' | 'brush' | 'erase' | 'split' | 'merge' | 'delete';

/** Each has a key, which takes it while the image has the focus and the tools are open. */
const TOOLS: { value: Tool; text: string; key: string; help: string }[] = [
  { value: 'choose', text: 'Choose', key: 'c', help: 'Choose a nucleus to see its measurements; the Delete key deletes it.' },
  { value: 'draw', text: 'Add', key: 'a', help: 'Draw round a nucleus that has no mask.' },
  { value: 'brush', text: 'Brush', key: 'b', help: 'Begin inside a nucleus, and paint what belongs to it.' },
  { value: 'erase', text: 'Eraser', key: 'e', help: 'Begin inside a nucleus, and wipe off what does not belong to it.' },
  { value: 'split', text: 'Split', key: 's', help: 'Draw a line across a nucleus: it becomes two.' },
  { value: 'merge', text: 'Merge', key: 'm', help: 'Choose a nucleus, then the one that belongs to it.' },
  { value: 'delete', text: 'Delete', key: 'd', help: 'Choose what is no nucleus.' },
];
export const TOOL_KEYS = TOOLS.map(({ key }) => key);
const STROKES = new Set<Tool>(['draw', 'brush', 'erase', 'split']);
const BY_KEYS = 'With the keyboard: Enter sets a point at the middle, arrows go on, Enter again at the same place ends.';
/** Radius of the brush on the screen, in CSS pixels. */
const BRUSH_PX = 8;
/** Two points as near as that on the screen are one. */
const SAME_PX = 3;
const SVG = 'http://www.w3.org/2000/svg';

/** Corrections by hand: which tool is taken, and the strokes that are drawn with it. */
export class Corrections {
  readonly element = textElement('div', '', 'nn-correct');
  readonly button = disclosureButton('Correct', 'nn-correct-button', (open) => {
    this.element.hidden = !open;
    this.take('choose');
  }, 'M4 20l4-1L19 8l-3-3L5 16zM14 7l3 3');
  /** What keys do while the image has the focus. */
  readonly keys: Readonly<Record<string, () => void>> = Object.fromEntries(
    TOOLS.map(({ value, key }) => [
      key,
      () => {
        if (!this.element.hidden) this.take(value);
      },
    ]),
  );
  tool: Tool = 'choose';
  private readonly choices = new Choices<Tool>(TOOLS, (tool) => {
    this.take(tool);
  });
  private readonly help = textElement('p', '', 'nn-label');
  private readonly undoButton: HTMLButtonElement;
  private readonly redoButton: HTMLButtonElement;
  private readonly sheet = document.createElementNS(SVG, 'svg');
  private readonly line = document.createElementNS(SVG, 'polyline');
  /** The stroke so far, in px of the image with their fractions. */
  private path: [number, number][] = [];
  private drawing = false;

  constructor(
    private readonly zoom: ZoomStage,
    private readonly events: { edit(edit: Edit): void; undo(): void; redo(): void; labelAt(place: Place): number; say(text: string): void },
    signal: AbortSignal,
  ) {
    this.undoButton = textButton('Undo', () => {
      events.undo();
    });
    this.redoButton = textButton('Redo', () => {
      events.redo();
    });
    this.undoButton.title = 'Take the last correction back (Ctrl+Z)';
    this.redoButton.title = 'Do again what was taken back (Ctrl+Y)';
    this.element.hidden = true;
    this.element.setAttribute('role', 'group');
    this.element.setAttribute('aria-label', 'Correct masks by hand');
    this.element.append(this.choices.element, this.undoButton, this.redoButton, this.help);
    this.sheet.setAttribute('class', 'nn-strokes');
    this.sheet.setAttribute('aria-hidden', 'true');
    this.sheet.append(this.line);
    this.sheet.style.display = 'none';
    zoom.area.append(this.sheet);
    this.follow(signal);
    this.take('choose');
    this.showCount(0, 0);
    // Wherever the focus is in the image or its tools, but for fields with a text of their own.
    (zoom.element.parentElement ?? zoom.element).addEventListener(
      'keydown',
      (event) => {
        const typing = event.target instanceof HTMLInputElement && ['text', 'number'].includes(event.target.type);
        if (typing || event.altKey || !(event.ctrlKey || event.metaKey)) return;
        const key = event.key.toLowerCase();
        const act = key === 'y' || (key === 'z' && event.shiftKey) ? this.redoButton : key === 'z' ? this.undoButton : null;
        if (!act) return;
        event.preventDefault();
        event.stopPropagation(); // a notebook would undo in its cells
        act.click();
      },
      { signal },
    );
  }

  /** Offers to undo and redo, where there is something. */
  showCount(edits: number, undone: number): void {
    this.undoButton.disabled = edits === 0;
    this.undoButton.textContent = edits === 0 ? 'Undo' : `Undo (${edits})`;
    this.redoButton.disabled = undone === 0;
  }

  /** Sets a point of a stroke by keyboard, or ends it; false where the tool in hand draws none. */
  point(place: Place): boolean {
    if (!STROKES.has(this.tool)) return false;
    const [pixel] = this.pixelOf(place);
    const last = this.path.at(-1);
    const before = last && this.placeOf(last);
    if (before && Math.hypot(before.x - place.x, before.y - place.y) < SAME_PX) this.finish();
    else if (pixel) {
      this.path.push(pixel);
      this.redraw();
    }
    return true;
  }

  /** Draws the stroke so far, which moves with the image. */
  redraw(): void {
    if (this.path.length === 0) return;
    this.line.setAttribute('points', this.path.flatMap((pixel) => {
      const place = this.placeOf(pixel);
      return place ? [`${place.x},${place.y}`] : [];
    }).join(' '));
  }

  private take(tool: Tool): void {
    this.tool = tool;
    this.choices.show(tool);
    const strokes = STROKES.has(tool);
    const help = TOOLS.find(({ value }) => value === tool)?.help ?? '';
    this.help.textContent = strokes ? `${help} ${BY_KEYS}` : help;
    this.path = [];
    this.sheet.style.display = strokes ? '' : 'none';
    this.sheet.dataset.tool = tool;
    this.line.setAttribute('points', '');
    this.line.style.strokeWidth = tool === 'brush' || tool === 'erase' ? String(2 * BRUSH_PX) : '2';
    this.zoom.hold(strokes);
  }

  private follow(signal: AbortSignal): void {
    const { sheet } = this;
    const pixelOf = ({ clientX, clientY }: PointerEvent) => {
      const { left, top } = this.zoom.area.getBoundingClientRect();
      return this.pixelOf({ x: clientX - left, y: clientY - top });
    };
    const on = (name: 'pointerdown' | 'pointermove' | 'pointerup' | 'pointercancel', act: (event: PointerEvent) => void) => {
      sheet.addEventListener(
        name,
        (event) => {
          event.stopPropagation(); // else the image would move
          act(event);
        },
        { signal },
      );
    };
    on('pointerdown', (event) => {
      event.preventDefault();
      sheet.setPointerCapture(event.pointerId);
      this.path = pixelOf(event);
      this.drawing = true;
    });
    on('pointermove', (event) => {
      if (!this.drawing) return;
      this.path.push(...pixelOf(event));
      this.redraw();
    });
    on('pointerup', () => {
      if (this.drawing) this.finish();
    });
    on('pointercancel', () => {
      this.drawing = false;
      this.path = [];
      this.line.setAttribute('points', '');
    });
  }

  private finish(): void {
    const { events, path: points, tool } = this;
    this.path = [];
    this.drawing = false;
    this.line.setAttribute('points', '');
    const [from] = points;
    const to = points.at(-1);
    const [first, last] = [from, to].map((pixel) => pixel && this.placeOf(pixel));
    const view = this.zoom.view(true);
    if (!from || !to || !first || !last || !view) return;
    if (tool === 'draw') {
      if (points.length > 2) events.edit({ kind: 'draw', roi: null, outline: points });
    } else if (tool === 'split') {
      const roi = events.labelAt({ x: (first.x + last.x) / 2, y: (first.y + last.y) / 2 });
      if (roi !== 0 && points.length > 1) events.edit({ kind: 'split', roi, line: [from, to] });
      else events.say('Draw the line across a nucleus: its middle has to be inside.');
    } else {
      const roi = events.labelAt(first);
      if (roi === 0) events.say('Begin inside a nucleus.');
      else events.edit({ kind: 'brush', roi, path: points, radius: (BRUSH_PX * devicePixelRatio) / view.scale, erase: tool === 'erase' });
    }
  }

  /** A place in px of the image, with its fraction. */
  private pixelOf({ x, y }: Place): [number, number][] {
    const view = this.zoom.view(true);
    const zoom = view ? view.scale / devicePixelRatio : 1;
    return view ? [[view.x + x / zoom, view.y + y / zoom]] : [];
  }
  /** Where on the screen a place of the image is. */
  private placeOf([x, y]: [number, number]): Place | null {
    const view = this.zoom.view(true);
    const zoom = view ? view.scale / devicePixelRatio : 1;
    return view ? { x: (x - view.x) * zoom, y: (y - view.y) * zoom } : null;
  }
}
