/** A run of text in one style; `colour` is a terminal's colour name or a hexadecimal one. */
export interface Run { text: string; bold: boolean; colour?: string }

const NAMES = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'];

/** Splits a terminal's text into runs. Backgrounds and other styles are dropped: they don't survive a dark page. */
export function ansiRuns(text: string): Run[] {
  const runs: Run[] = [];
  let style: Omit<Run, 'text'> = { bold: false };
  let at = 0;
  for (const match of text.matchAll(/\u001b\[([\d;]*)([A-Za-z])/g)) {
    if (match.index > at) runs.push({ text: text.slice(at, match.index), ...style });
    at = match.index + match[0].length;
    if (match[2] === 'm') style = applied(style, (match[1] ?? '').split(';').map(Number));
  }
  if (at < text.length) runs.push({ text: text.slice(at), ...style });
  return runs;
}

function applied(style: Omit<Run, 'text'>, codes: number[]): Omit<Run, 'text'> {
  let next = { ...style };
  for (let at = 0; at < codes.length; at++) {
    const code = codes[at] ?? 0;
    if (code === 0) next = { bold: false };
    else if (code === 1) next.bold = true;
    else if (code === 22) next.bold = false;
    else if (code === 39) next.colour = undefined;
    else if (code >= 30 && code <= 37) next.colour = NAMES[code - 30];
    else if (code >= 90 && code <= 97) next.colour = NAMES[code - 90];
    else if (code === 38 || code === 48) {
      const palette = codes[at + 1] === 5;
      if (code === 38) next.colour = palette ? paletteColour(codes[at + 2] ?? 0) : hex(codes.slice(at + 2, at + 5));
      at += palette ? 2 : 4;
    }
  }
  return next;
}

/** The 256 colours of a terminal: 16 by name, a cube of 216, and 24 greys. */
function paletteColour(index: number): string | undefined {
  if (index < 16) return NAMES[index % 8];
  if (index >= 232) return hex([8, 8, 8].map((grey) => grey + 10 * (index - 232)));
  const level = (step: number) => (step === 0 ? 0 : 55 + 40 * step);
  const cube = index - 16;
  return hex([level(Math.floor(cube / 36)), level(Math.floor(cube / 6) % 6), level(cube % 6)]);
}

function hex(rgb: number[]): string {
  return `#${rgb.map((channel) => channel.toString(16).padStart(2, '0')).join('')}`;
}
