import { Problem } from '../shared/problem';
import { fetchPyramid, type Pyramid } from '../shared/pyramid';
import type { Pointed } from '../shared/readout';
import { lengthText } from '../shared/scalebar';
import { grouped } from '../shared/text';
import { ZoomStage, type Place, type StageEvents, type View, type ZoomImage } from '../shared/zoomstage';
import { COLOURS, TRUTH, verdicts, wrongMasks, type Comparison, type Method } from './comparison';
import { MethodMasks, Panes } from './panes';

export interface MethodsEvents extends StageEvents {
  chosen(name: string): void;
  /** From the keyboard: another method, so many further on. */
  another(step: 1 | -1): void;
}

const WORDS = {
  all: 'Show the whole image',
  help: 'Arrows move, + and − zoom, 0 shows all. M and Shift M go through the methods, N and P through the mistakes.',
};

/** One image with the masks of a method over it, and beside it small pictures of the same part with those of every method. */
export class MethodsStage {
  readonly zoom: ZoomStage;
  readonly panes: Panes;
  readonly over = [document.createElement('canvas'), document.createElement('canvas')] as const;
  private readonly opening = new AbortController();
  private readonly pyramids = new Map<string, Pyramid>();
  private masks: MethodMasks | null = null;
  private shown: Method | null = null;
  private failed = false;
  private readonly image: ZoomImage;

  /** `parent` is laid out already, since OpenSeadragon measures what it is given; `base` is the folder of the files. */
  constructor(
    parent: HTMLElement,
    private readonly comparison: Comparison,
    private readonly base: string,
    private readonly events: MethodsEvents,
  ) {
    this.panes = new Panes(comparison.methods, (name) => {
      events.chosen(name);
    });
    this.zoom = new ZoomStage(parent, WORDS, events, {
      keys: {
        m: () => {
          events.another(1);
        },
        M: () => {
          events.another(-1);
        },
      },
      failed: () => {
        events.failed(new Problem('The image could not be loaded.'));
      },
      drawn: (view) => {
        this.draw(view);
      },
      pointed: (place) => this.describe(place),
      choose: () => {
        this.zoom.say(this.describe(this.zoom.middle).spoken);
      },
      restored: () => {
        this.zoom.redraw();
      },
    });
    for (const canvas of this.over) {
      canvas.className = 'nn-overlay';
      this.zoom.viewer.canvas.append(canvas);
      this.zoom.restoreWhenLost(canvas);
    }
    this.zoom.element.parentElement?.append(this.panes.element);
    const { width, height, pxPerUm, title } = comparison;
    const label = `${title}. Arrow keys move, plus and minus zoom, zero shows all. M and Shift M show the next and the previous method, N and P go through its mistakes; what all methods make of the nucleus at the middle is announced.`;
    this.image = { width, height, pxPerUm, label };
  }

  /** Opens the image at a view as in the state, and all masks. */
  async open(view: number[] | null): Promise<void> {
    const { signal } = this.opening;
    const fetchOf = (name: string, file = 'labels') => fetchPyramid(new URL(`${name}.zip/${file}.dzi`, this.base).href, `The masks of ${name}`, signal);
    this.zoom.expect(this.image, view);
    try {
      const [intensity, truth] = await Promise.all([fetchOf(TRUTH, 'intensity'), fetchOf(TRUTH)]);
      signal.throwIfAborted();
      this.zoom.show([{ source: intensity, shown: true }]);
      this.pyramids.set(TRUTH, truth);
    } catch (error) {
      if (!signal.aborted) this.events.failed(error instanceof Problem ? error : new Problem('The image could not be shown.'));
      return;
    }
    await Promise.all(this.comparison.methods.map(async ({ name }) => {
      try {
        const pyramid = this.pyramids.get(name) ?? (await fetchOf(name));
        const truth = this.pyramids.get(TRUTH);
        if (signal.aborted || !truth) return;
        this.pyramids.set(name, pyramid);
        this.panes.fill(name, pyramid, truth, () => {
          this.zoom.redraw();
        });
        if (this.shown?.name === name) this.show(this.shown);
      } catch {
        this.failed = true;
      }
    }));
    this.zoom.redraw();
  }

  /** Shows a method large. */
  show(method: Method): void {
    this.shown = method;
    this.panes.show(method.name);
    this.masks?.destroy();
    this.masks = null;
    const [pyramid, truth] = [this.pyramids.get(method.name), this.pyramids.get(TRUTH)];
    const changed = () => {
      this.zoom.redraw();
    };
    if (pyramid && truth) this.masks = new MethodMasks(this.over, method, pyramid, truth, changed, 2.2);
    this.zoom.showPointed();
    this.zoom.redraw();
  }

  /** Whether masks are missing. */
  get hasGaps(): boolean {
    return this.failed || (this.masks?.missing ?? false);
  }

  retry(): void {
    if (!this.zoom.isOpen || this.failed) {
      this.failed = false;
      void this.open(this.zoom.firstView);
      return;
    }
    this.zoom.retry();
    this.masks?.retry();
    this.panes.retry();
    this.zoom.redraw();
  }

  destroy(): void {
    this.opening.abort();
    this.masks?.destroy();
    this.panes.destroy();
    this.zoom.destroy();
  }

  private draw(view: View): void {
    const rest = this.zoom.view(false);
    if (!rest) return;
    this.masks?.draw(view, rest);
    this.panes.draw(this.zoom.viewer.drawer.canvas, view, rest);
    this.zoom.element.dataset.masks = this.masks?.settled && this.panes.settled ? 'drawn' : 'loading';
  }

  /** What is at a place: what the shown method gets wrong there, and what every method makes of the nucleus. */
  private describe(place: Place | null): Pointed {
    const { zoom, shown, comparison } = this;
    const pixel = place && zoom.pixelAt(place);
    const { clientWidth, clientHeight } = zoom.area;
    this.panes.point(place && pixel ? { x: place.x / clientWidth, y: place.y / clientHeight } : null);
    if (!pixel || !shown) return { name: '', facts: '', colour: '', position: '', spoken: '' };
    const nucleus = this.panes.labelAt(TRUTH, pixel.x, pixel.y);
    const mask = this.masks?.labelAt(pixel.x, pixel.y) ?? 0;
    const kind = shown.about.get(nucleus) ?? wrongMasks(shown).get(mask) ?? null;
    const there = nucleus !== 0 || mask !== 0;
    const what = !there ? '' : shown.name === TRUTH ? 'nucleus' : (kind ?? (nucleus === 0 ? 'edge of a mask' : 'right'));
    const name = what === '' ? '' : `${shown.title}: ${what}`;
    const facts = nucleus === 0 ? '' : verdicts(comparison.methods, nucleus);
    const um = comparison.pxPerUm === null ? '' : ` · ${lengthText(pixel.x / comparison.pxPerUm)}, ${lengthText(pixel.y / comparison.pxPerUm)}`;
    return {
      name,
      facts,
      colour: kind === null ? (there ? '#ffffff' : '') : COLOURS[kind],
      position: `x ${grouped(pixel.x)}  y ${grouped(pixel.y)} px${um}`,
      spoken: name === '' ? '' : [name, facts].filter(Boolean).join('; ') + '.',
    };
  }
}
