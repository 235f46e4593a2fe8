import { contrastText } from '../shared/contrast';
import { textButton, textElement } from '../shared/elements';
import type { Model } from '../shared/model';
import { nuclei } from '../shared/text';
import { ZoomView } from '../shared/zoomview';
import { KINDS, nextMistake, type Mistake, type MistakeKind } from '../panorama/mistakes';
import { COLOURS, MEANING, mistakeAfter, TRUTH, type Comparison, type Method } from './comparison';
import { METHODS_STATE, type MethodsState } from './methodsstate';
import { MethodsStage } from './stage';
import css from './style.css';

/** Width of the view of a mistake that is gone to, in pixels of the image. */
const MISTAKE_PX = 640;

/** The same nuclei under several methods: one large, and small pictures of the same part under every one. */
export class MethodsView extends ZoomView<MethodsState, MethodsStage> {
  protected readonly card = { element: textElement('div', '') };
  private readonly legend = textElement('div', '', 'nn-mistakes');
  private readonly title = textElement('strong', '', 'nn-title');
  private comparison: Comparison | null = null;
  private shown: Method | null = null;
  private last: Mistake | null = null;

  constructor(model: Model, host: HTMLElement, signal: AbortSignal) {
    super({ className: 'nn-methods', css, state: METHODS_STATE, loading: 'Loading the methods …' }, model, host, signal);
    this.legend.setAttribute('role', 'group');
    this.legend.setAttribute('aria-label', 'What the masks get wrong');
    this.state.onChange(() => {
      this.apply();
    });
  }

  /** Shows the methods of a list, whose files are beside it. */
  open(comparison: Comparison, address: string): void {
    this.comparison = comparison;
    const bar = textElement('div', '', 'nn-toolbar');
    const body = textElement('div', '', 'nn-body');
    bar.append(this.title, this.legend);
    this.root.prepend(bar, body);
    const stage = new MethodsStage(body, comparison, address, {
      ...this.stageEvents(),
      chosen: (name) => {
        this.choose(name);
      },
      another: (step) => {
        const names = comparison.methods.map(({ name }) => name);
        const at = names.indexOf(this.shown?.name ?? '');
        this.choose(names[(at + step + names.length) % names.length] ?? TRUTH);
        stage.zoom.say(this.shown?.title ?? '');
      },
    });
    stage.zoom.addTools([this.panel]);
    this.addStage(stage, '');
    this.facts.textContent = `${comparison.title} · ${nuclei(comparison.nuclei)}`;
    this.seenView = this.state.get('view');
    this.apply();
    void stage.open(this.seenView);
  }

  protected apply(): void {
    const { comparison, stage, state } = this;
    if (!comparison || !stage) return;
    const wanted = comparison.methods.find(({ name }) => name === state.get('method')) ?? comparison.methods[1];
    if (wanted && wanted !== this.shown) {
      this.shown = wanted;
      this.last = null;
      this.title.textContent = wanted.title;
      this.showLegend(wanted);
      stage.show(wanted);
    }
    this.showContrast();
    this.showRemark();
    this.followView();
  }

  /** From mistake to mistake of the method that is shown. */
  protected step(step: 1 | -1): void {
    const next = mistakeAfter(this.shown?.mistakes ?? [], this.last, step);
    if (next) this.goTo(next);
    else this.stage?.zoom.say('There is no mistake to go to.');
  }

  protected letGo(): void {
    // Nothing is chosen here but a method.
  }

  protected save(): void {
    const { comparison, shown, stage } = this;
    if (!comparison || !shown || !stage) return;
    const counts = KINDS.map((kind) => `${this.count(shown, kind)} ${kind}`).join(', ');
    const lines = [comparison.title, shown.name === TRUTH ? '' : `In all of the image: ${counts}`, contrastText(this.contrast())];
    void this.savePicture(stage.zoom.picture(this.contrast(), [...stage.over], shown.title, lines.filter(Boolean)), `${shown.name}.png`);
  }

  protected showRemark(): void {
    const gaps = this.gaps || this.stage?.hasGaps === true;
    const retry = () => {
      this.stage?.retry();
      this.showRemark();
    };
    this.showRemarks([gaps ? 'Parts of the image or of the masks could not be loaded.' : '', this.notice], gaps ? retry : null);
  }

  private choose(name: string): void {
    this.change({ method: name });
  }

  private goTo(mistake: Mistake): void {
    const { stage } = this;
    this.last = mistake;
    stage?.zoom.goTo([mistake.x, mistake.y, Math.min(MISTAKE_PX, this.seenView?.[2] ?? MISTAKE_PX)]);
    stage?.zoom.say(`${mistake.kind}: ${MEANING[mistake.kind]}.`);
  }

  private count(method: Method, kind: MistakeKind): number {
    return method.mistakes.filter((one) => one.kind === kind).length;
  }

  /** What the colours mean, with how often each comes; each leads to the next such place. */
  private showLegend(method: Method): void {
    this.legend.replaceChildren(
      ...KINDS.map((kind) => {
        const count = this.count(method, kind);
        const button = textButton(`${kind} ${count}`, () => {
          const next = nextMistake(method.mistakes, kind, this.last);
          if (next) this.goTo(next);
        }, 'nn-button nn-again nn-kind');
        const swatch = textElement('span', '', 'nn-swatch');
        swatch.style.background = COLOURS[kind];
        button.prepend(swatch);
        button.disabled = count === 0;
        button.title = `${kind}: ${MEANING[kind]}`;
        return button;
      }),
      textElement('span', method.name === TRUTH ? 'Outlined: the true nuclei' : 'White: right', 'nn-label'),
    );
  }
}
