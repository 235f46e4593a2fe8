import { Choices } from '../shared/choices';
import { disclosureButton, textButton, textElement } from '../shared/elements';
import type { Place, ZoomStage } from '../shared/zoomstage';
import type { Edit } from './protocol';

/** What a click or a stroke does. */
export type Tool = 'choose' | 'draw' | 'brush' | 'erase' | 'split' | 'merge' | 'delete';

const TOOLS: { value: Tool; text: string; help: string }[] = [
  { value: 'choose', text: 'Choose', help: 'Choose a nucleus to see its measurements; the Delete key deletes it.' },
  { value: 'draw', text: 'Add', help: 'Draw round a nucleus that has no mask.' },
  { value: 'brush', text: 'Brush', help: 'Begin inside a nucleus, and paint what belongs to it.' },
  { value: 'erase', text: 'Eraser', help: 'Begin inside a nucleus, and wipe off what does not belong to it.' },
  { value: 'split', text: 'Split', help: 'Draw a line across a nucleus: it becomes two.' },
  { value: 'merge', text: 'Merge', help: 'Choose a nucleus, then the one that belongs to it.' },
  { value: 'delete', text: 'Delete', help: 'Choose what is no nucleus.' },
];
const STROKES = new Set<Tool>(['draw', 'brush', 'erase', 'split']);
/** Radius of the brush on the screen, in CSS pixels. */
const BRUSH_PX = 8;
const SVG = 'http://www.w3.org/2000/svg';

/** Corrections by hand: which tool is taken, and the strokes that are drawn with it. */
export class Corrections {
  readonly element = textElement('div', '', 'nn-correct');
  readonly button = disclosureButton('Correct', 'nn-correct-button', (open) => {
    this.element.hidden = !open;
    this.take('choose');
  }, 'M4 20l4-1L19 8l-3-3L5 16zM14 7l3 3');
  tool: Tool = 'choose';
  private readonly choices = new Choices<Tool>(TOOLS, (tool) => {
    this.take(tool);
  });
  private readonly help = textElement('p', '', 'nn-label');
  private readonly undoButton: HTMLButtonElement;
  private readonly sheet = document.createElementNS(SVG, 'svg');
  private readonly line = document.createElementNS(SVG, 'polyline');
  private path: Place[] = [];

  constructor(
    private readonly zoom: ZoomStage,
    private readonly events: { edit(edit: Edit): void; undo(): void; labelAt(place: Place): number; say(text: string): void },
    signal: AbortSignal,
  ) {
    this.undoButton = textButton('Undo', () => {
      events.undo();
    });
    this.element.hidden = true;
    this.element.setAttribute('role', 'group');
    this.element.setAttribute('aria-label', 'Correct masks by hand');
    this.element.append(this.choices.element, this.undoButton, this.help);
    this.sheet.setAttribute('class', 'nn-strokes');
    this.sheet.setAttribute('aria-hidden', 'true');
    this.sheet.append(this.line);
    this.sheet.style.display = 'none';
    zoom.area.append(this.sheet);
    this.follow(signal);
    this.take('choose');
    this.showCount(0);
  }

  /** Offers to undo, where there is something. */
  showCount(edits: number): void {
    this.undoButton.disabled = edits === 0;
    this.undoButton.textContent = edits === 0 ? 'Undo' : `Undo (${edits})`;
  }

  private take(tool: Tool): void {
    this.tool = tool;
    this.choices.show(tool);
    this.help.textContent = TOOLS.find(({ value }) => value === tool)?.help ?? '';
    const strokes = STROKES.has(tool);
    this.sheet.style.display = strokes ? '' : 'none';
    this.sheet.dataset.tool = tool;
    this.line.setAttribute('points', '');
    this.line.style.strokeWidth = tool === 'brush' || tool === 'erase' ? String(2 * BRUSH_PX) : '2';
    this.zoom.hold(strokes);
  }

  private follow(signal: AbortSignal): void {
    const { sheet } = this;
    const placeOf = ({ clientX, clientY }: PointerEvent): Place => {
      const { left, top } = this.zoom.area.getBoundingClientRect();
      return { x: clientX - left, y: clientY - top };
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
      this.path = [placeOf(event)];
    });
    on('pointermove', (event) => {
      if (this.path.length === 0) return;
      this.path.push(placeOf(event));
      this.line.setAttribute('points', this.path.map(({ x, y }) => `${x},${y}`).join(' '));
    });
    on('pointerup', () => {
      this.finish();
    });
    on('pointercancel', () => {
      this.path = [];
      this.line.setAttribute('points', '');
    });
  }

  private finish(): void {
    const { events, path, tool } = this;
    this.path = [];
    this.line.setAttribute('points', '');
    const [first] = path;
    const last = path.at(-1);
    const points = path.flatMap((place) => this.pixelOf(place));
    const view = this.zoom.view(true);
    if (!first || !last || !view || points.length === 0) return;
    if (tool === 'draw') {
      if (points.length > 2) events.edit({ kind: 'draw', roi: null, outline: points });
    } else if (tool === 'split') {
      const roi = events.labelAt({ x: (first.x + last.x) / 2, y: (first.y + last.y) / 2 });
      const [from, to] = [points[0], points.at(-1)];
      if (roi !== 0 && from && to && points.length > 1) events.edit({ kind: 'split', roi, line: [from, to] });
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
}
