import { iconButton } from './elements';

/** The buttons below the image; `all` names the one that shows all of it. */
export function viewButtons(all: string, actions: {
  zoomIn: () => void;
  zoomOut: () => void;
  showAll: () => void;
  save: () => void;
  /** Null where the browser has no full screen for a part of the page. */
  fullScreen: (() => void) | null;
}): HTMLElement {
  const element = document.createElement('div');
  element.className = 'nn-buttons';
  element.setAttribute('role', 'group');
  element.setAttribute('aria-label', 'View');
  const add = (name: string, icon: string, action: () => void) => {
    element.append(iconButton(name, icon, action));
  };
  add('Zoom in', 'M12 5v14M5 12h14', actions.zoomIn);
  add('Zoom out', 'M5 12h14', actions.zoomOut);
  add(all, 'M4 4h16v16H4zM9 9h6v6H9z', actions.showAll);
  if (actions.fullScreen) add('Full screen', 'M9 4H4v5M15 4h5v5M9 20H4v-5M15 20h5v-5', actions.fullScreen);
  add('Save this view as a picture', 'M4 8h4l2-3h4l2 3h4v11H4zM12 10a3.25 3.25 0 1 0 .01 0', actions.save);
  return element;
}
