// Opens the view of a page that has all of its files inside: each is compressed, in base 64, in an element of its name.
const CHARACTERS = 1 << 20; // at a time, between which the page answers; a multiple of 4

async function partOf(name) {
  const element = document.getElementById(name);
  const text = element.textContent;
  element.remove();
  const pieces = [];
  for (let at = 0; at < text.length; at += CHARACTERS) {
    const binary = atob(text.slice(at, at + CHARACTERS));
    const piece = new Uint8Array(binary.length);
    for (let byte = 0; byte < binary.length; byte++) piece[byte] = binary.charCodeAt(byte);
    pieces.push(piece);
    await new Promise((resolve) => setTimeout(resolve));
  }
  const whole = new Blob(pieces).stream().pipeThrough(new DecompressionStream('gzip'));
  return new Blob([await new Response(whole).arrayBuffer()], { type: 'text/javascript' });
}

const place = document.getElementById('view');
try {
  const [view, worker, runtime, model] = await Promise.all(['view-script', 'worker', 'runtime', 'model'].map(partOf));
  const facts = JSON.parse(document.getElementById('facts').textContent);
  const values = { name: 'try', segment: { ...facts, worker, runtime, model } };
  const { default: widget } = await import(URL.createObjectURL(view));
  place.replaceChildren();
  const el = place.appendChild(document.createElement('div'));
  el.attachShadow({ mode: 'open' });
  const inner = el.shadowRoot.appendChild(document.createElement('div'));
  widget.render({ model: { get: (name) => values[name], set() {}, on() {} }, el: inner });
} catch (error) {
  place.textContent = `This browser can't open the page (${error.message}); a current Firefox, Chrome, Edge or Safari can.`;
}
