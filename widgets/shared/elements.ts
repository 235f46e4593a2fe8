/** A button that is a picture, drawn as a path of a 24 by 24 grid, with a name. */
export function iconButton(name: string, icon: string, action: () => void): HTMLButtonElement {
  const element = document.createElement('button');
  element.type = 'button';
  element.title = name;
  element.setAttribute('aria-label', name);
  element.append(iconPicture(icon));
  element.addEventListener('click', action);
  return element;
}

function iconPicture(icon: string): SVGElement {
  const namespace = 'http://www.w3.org/2000/svg';
  const picture = document.createElementNS(namespace, 'svg');
  picture.setAttribute('viewBox', '0 0 24 24');
  picture.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS(namespace, 'path');
  path.setAttribute('d', icon);
  picture.append(path);
  return picture;
}

/** An element that holds a text, never markup. */
export function textElement(tag: string, text: string, className = ''): HTMLElement {
  const element = document.createElement(tag);
  element.textContent = text;
  if (className) element.className = className;
  return element;
}

/** A button with a text. */
export function textButton(text: string, action: () => void, className = 'nn-button'): HTMLButtonElement {
  const button = document.createElement('button');
  button.type = 'button';
  button.textContent = text;
  button.className = className;
  button.addEventListener('click', action);
  return button;
}

/** A button that opens and closes a part of the view; with an icon it needs no text where there is little room. */
export function disclosureButton(text: string, className: string, toggle: (open: boolean) => void, icon = ''): HTMLButtonElement {
  const button = textButton(
    text,
    () => {
      const open = button.getAttribute('aria-expanded') !== 'true';
      button.setAttribute('aria-expanded', String(open));
      toggle(open);
    },
    `nn-button ${className}`,
  );
  button.setAttribute('aria-expanded', 'false');
  if (icon !== '') {
    button.title = text;
    button.replaceChildren(iconPicture(icon), textElement('span', text, 'nn-button-text'));
  }
  return button;
}

/** Controls with a name before them. A `legend` would be placed above them by WebKit. */
export function controlGroup(name: string, className: string, ...controls: HTMLElement[]): HTMLFieldSetElement {
  const fieldset = document.createElement('fieldset');
  fieldset.className = `nn-fieldset ${className}`;
  fieldset.setAttribute('aria-label', name);
  const label = textElement('span', name, 'nn-label nn-group-name');
  label.setAttribute('aria-hidden', 'true');
  fieldset.append(label, ...controls);
  return fieldset;
}

/** A button that asks again for what could not be loaded. */
export function againButton(action: () => void): HTMLButtonElement {
  return textButton('Try again', action, 'nn-button nn-again');
}

/** The figure of the page that an element is in, across shadow roots; null where it is in none. */
export function figureOf(element: Element): HTMLElement | null {
  const figure = element.closest<HTMLElement>('figure[id]');
  if (figure) return figure;
  const root = element.getRootNode();
  return root instanceof ShadowRoot ? figureOf(root.host) : null;
}
