import type { Mermaid } from 'mermaid';
import { explain } from './nearing.js';

// Relative to this file's own place in assets/: see `copyMermaid` in vite.config.ts.
const MERMAID = '../mermaid/mermaid.esm.min.mjs';

let drawn = 0;

/** Draws a Mermaid diagram in the page's type and colours, and again when the appearance changes. */
export async function drawDiagram(box: HTMLElement): Promise<void> {
  const source = box.querySelector('pre');
  if (source === null) return;
  const text = source.textContent;
  const place = document.createElement('div');
  place.className = 'diagram';
  const load = async () => ((await import(/* @vite-ignore */ new URL(MERMAID, import.meta.url).href)) as { default: Mermaid }).default;
  const draw = async () => {
    const mermaid = await load();
    mermaid.initialize({ startOnLoad: false, securityLevel: 'strict', theme: 'base', fontFamily: getComputedStyle(box).fontFamily, themeVariables: colours(box) });
    const { svg } = await mermaid.render(`diagram-${++drawn}`, text);
    place.innerHTML = svg;
    place.querySelector('svg')?.setAttribute('aria-label', 'Diagram; its text follows');
  };
  try {
    await draw();
    const fold = document.createElement('details');
    fold.className = 'fold';
    const summary = document.createElement('summary');
    summary.textContent = 'Text of the diagram';
    fold.append(summary, source);
    box.append(place, fold);
    box.dataset.mermaid = 'drawn';
    addEventListener('appearancechange', () => { void draw(); });
  } catch (error) {
    console.error(error);
    explain(place, 'This diagram could not be drawn', error);
    box.prepend(place);
    box.dataset.mermaid = 'failed';
  }
}

function colours(box: HTMLElement): Record<string, string | boolean> {
  const probe = document.createElement('span');
  box.append(probe);
  const colour = (name: string) => {
    probe.style.color = `var(--${name})`;
    return hexadecimal(getComputedStyle(probe).color);
  };
  const [ink, quiet, rule, ground, tint, accent] = ['ink', 'quiet', 'rule', 'ground', 'tint', 'accent'].map(colour);
  probe.remove();
  return {
    darkMode: (parseInt(ground?.slice(1, 3) ?? 'ff', 16)) < 128,
    background: ground ?? '', mainBkg: tint ?? '', primaryColor: tint ?? '', secondaryColor: ground ?? '', tertiaryColor: ground ?? '',
    primaryTextColor: ink ?? '', secondaryTextColor: ink ?? '', tertiaryTextColor: ink ?? '', textColor: ink ?? '',
    primaryBorderColor: accent ?? '', nodeBorder: accent ?? '', clusterBorder: rule ?? '', lineColor: quiet ?? '', edgeLabelBackground: ground ?? '',
  };
}

/** Mermaid calculates with colours, and knows them by their numbers alone. */
function hexadecimal(colour: string): string {
  const [red = 0, green = 0, blue = 0] = (colour.match(/[\d.]+/g) ?? []).map(Number);
  return `#${[red, green, blue].map((part) => Math.round(part).toString(16).padStart(2, '0')).join('')}`;
}
