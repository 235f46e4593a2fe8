/** A button that is a picture, drawn as a path of a 24 by 24 grid, with a name. */
export function iconButton(name: string, icon: string, action: () => void): HTMLButtonElement {
  const element = document.createElement('button');
  element.type = 'button';
  element.title = name;
  element.setAttribute('aria-label', name);
  const namespace = 'http://www.w3.org/2000/svg';
  const picture = document.createElementNS(namespace, 'svg');
  picture.setAttribute('viewBox', '0 0 24 24');
  picture.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS(namespace, 'path');
  path.setAttribute('d', icon);
  picture.append(path);
  element.append(picture);
  element.addEventListener('click', action);
  return element;
}

/** An element that holds a text, never markup. */
export function textElement(tag: string, text: string, className = ''): HTMLElement {
  const element = document.createElement(tag);
  element.textContent = text;
  if (className) element.className = className;
  return element;
}
