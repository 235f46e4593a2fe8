const STEP = 1.5;
const PAN_PX = 60;

/** Shows a picture over the page. Wheel, pinch, `+`, `-` and `0` zoom; dragging and arrow keys move it; Escape closes. */
export function magnify(image: HTMLImageElement): void {
  const dialog = document.createElement('dialog');
  dialog.className = 'magnifier';
  dialog.ariaLabel = image.alt === '' ? 'Picture' : image.alt;
  const stage = document.createElement('div');
  stage.className = 'magnifier-stage';
  const picture = new Image();
  picture.src = image.currentSrc;
  picture.alt = image.alt;
  picture.draggable = false;
  stage.append(picture);
  const bar = document.createElement('div');
  bar.className = 'magnifier-bar';
  const caption = document.createElement('p');
  caption.textContent = image.closest('figure')?.querySelector(':scope > figcaption')?.textContent ?? image.alt;
  bar.append(caption, button('−', 'Smaller', () => { zoom(1 / STEP); }), button('+', 'Larger', () => { zoom(STEP); }), button('Fit', 'Fit to the window', fit), button('Close', 'Close', () => { dialog.close(); }));
  dialog.append(stage, bar);
  document.body.append(dialog);

  // The picture is laid out to fit the stage; `scale` and the shift of its middle come on top of that.
  let [scale, x, y] = [1, 0, 0];
  const largest = () => Math.max(8, (4 * image.naturalWidth) / Math.max(picture.clientWidth, 1));
  const apply = () => {
    const spare = (size: number, room: number) => Math.max(0, (size * scale - room) / 2);
    const [width, height] = [spare(picture.clientWidth, stage.clientWidth), spare(picture.clientHeight, stage.clientHeight)];
    x = Math.min(Math.max(x, -width), width);
    y = Math.min(Math.max(y, -height), height);
    picture.style.transform = `translate(${x}px, ${y}px) scale(${scale})`;
    picture.classList.toggle('pixels', scale * picture.clientWidth > 2 * picture.naturalWidth);
    stage.classList.toggle('movable', width > 0 || height > 0);
  };
  /** Zooms round a place of the stage, given from its middle. */
  function zoom(by: number, [atX, atY] = [0, 0]): void {
    const next = Math.min(Math.max(scale * by, 1), largest());
    x = atX - (atX - x) * (next / scale);
    y = atY - (atY - y) * (next / scale);
    scale = next;
    apply();
  }
  function fit(): void {
    [scale, x, y] = [1, 0, 0];
    apply();
  }

  const fromMiddle = ({ clientX, clientY }: { clientX: number; clientY: number }): [number, number] => {
    const { left, top, width, height } = stage.getBoundingClientRect();
    return [clientX - left - width / 2, clientY - top - height / 2];
  };
  stage.addEventListener('wheel', (event) => {
    event.preventDefault();
    zoom(Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.002)), fromMiddle(event));
  }, { passive: false });
  stage.addEventListener('dblclick', (event) => { if (scale > 1) fit(); else zoom(STEP ** 3, fromMiddle(event)); });

  const held = new Map<number, PointerEvent>();
  stage.addEventListener('pointerdown', (event) => {
    stage.setPointerCapture(event.pointerId);
    held.set(event.pointerId, event);
  });
  stage.addEventListener('pointermove', (event) => {
    const before = held.get(event.pointerId);
    if (before === undefined) return;
    const other = [...held.values()].find(({ pointerId }) => pointerId !== event.pointerId);
    x += (event.clientX - before.clientX) / held.size;
    y += (event.clientY - before.clientY) / held.size;
    if (other !== undefined) {
      const reach = (one: PointerEvent) => Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY);
      zoom(reach(event) / Math.max(reach(before), 1), fromMiddle({ clientX: (event.clientX + other.clientX) / 2, clientY: (event.clientY + other.clientY) / 2 }));
    }
    held.set(event.pointerId, event);
    apply();
  });
  for (const end of ['pointerup', 'pointercancel'] as const) stage.addEventListener(end, ({ pointerId }) => { held.delete(pointerId); });

  const keys: Record<string, () => void> = {
    '+': () => { zoom(STEP); },
    '=': () => { zoom(STEP); },
    '-': () => { zoom(1 / STEP); },
    '0': fit,
    ArrowLeft: () => { x += PAN_PX; apply(); },
    ArrowRight: () => { x -= PAN_PX; apply(); },
    ArrowUp: () => { y += PAN_PX; apply(); },
    ArrowDown: () => { y -= PAN_PX; apply(); },
  };
  dialog.addEventListener('keydown', (event) => {
    const act = event.ctrlKey || event.metaKey ? undefined : keys[event.key];
    if (act === undefined) return;
    event.preventDefault();
    act();
  });
  addEventListener('resize', apply);
  dialog.addEventListener('close', () => {
    removeEventListener('resize', apply);
    dialog.remove();
    image.focus({ preventScroll: true });
  });
  dialog.showModal();
  apply();
}

function button(text: string, name: string, act: () => void): HTMLButtonElement {
  const made = document.createElement('button');
  made.type = 'button';
  made.textContent = text;
  made.ariaLabel = name;
  made.addEventListener('click', act);
  return made;
}
