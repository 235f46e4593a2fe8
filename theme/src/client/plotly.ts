import Plotly from 'plotly.js-basic-dist-min';
import { dataOf, explain } from './nearing.js';

interface Figure { data: object[]; layout?: Record<string, unknown> }

/** Draws a Plotly figure in the page's own type and colours, and again when the appearance changes. */
export async function drawFigure(box: HTMLElement): Promise<void> {
  const host = box.querySelector<HTMLElement>('.plotly-host');
  if (host === null) return;
  try {
    const figure = (box.dataset.plotly === '' ? dataOf(box) : await (await fetch(box.dataset.plotly ?? '')).json()) as Figure;
    const draw = () => Plotly.react(host, figure.data, inPageStyle(figure.layout ?? {}, host), { responsive: true, displaylogo: false, modeBarButtonsToRemove: ['select2d', 'lasso2d'] });
    await draw();
    addEventListener('appearancechange', () => { void draw(); });
  } catch (error) {
    console.error(error);
    explain(host, 'This figure could not be drawn', error);
  }
}

function inPageStyle(layout: Record<string, unknown>, host: HTMLElement): Record<string, unknown> {
  // Plotly parses colours itself and knows neither variables nor light-dark(): the browser resolves them first.
  const probe = document.createElement('span');
  host.append(probe);
  const colour = (name: string) => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  const [ink, quiet, rule, ground, accent] = ['ink', 'quiet', 'rule', 'ground', 'accent'].map(colour);
  probe.remove();
  const font = { family: getComputedStyle(host).fontFamily, size: 14, color: quiet };
  const axis = { gridcolor: rule, linecolor: rule, zerolinecolor: rule, tickcolor: rule, title: { font: { size: 14, color: ink }, standoff: 12 }, automargin: true };
  const colorbar = { outlinewidth: 0, thickness: 12, title: { font: { size: 14, color: ink } } };
  const narrow = host.clientWidth < 480;
  return {
    ...layout,
    width: undefined,
    autosize: true,
    height: layout.height ?? 460,
    margin: layout.margin ?? { l: narrow ? 44 : 64, r: narrow ? 8 : 24, t: layout.title === undefined ? 16 : 56, b: 56 },
    template: {
      layout: {
        font,
        colorway: [accent, '#c2571a', '#2f8f6b', '#a03a78', '#8a7a1f', '#5b6b7b'],
        paper_bgcolor: 'rgba(0,0,0,0)',
        plot_bgcolor: 'rgba(0,0,0,0)',
        xaxis: axis,
        yaxis: axis,
        title: { font: { size: 16, color: ink }, x: 0, xref: 'paper', xanchor: 'left' },
        hoverlabel: { bgcolor: ground, bordercolor: rule, font: { ...font, color: ink } },
        modebar: { bgcolor: 'rgba(0,0,0,0)', color: quiet, activecolor: ink },
        legend: { bgcolor: 'rgba(0,0,0,0)' },
        coloraxis: { colorbar },
      },
      data: { scatter: [{ marker: { colorbar } }], bar: [{ marker: { colorbar } }] },
    },
  };
}
