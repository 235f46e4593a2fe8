import { bindAppearance } from './appearance.js';
import { copyButtons } from './copy.js';
import { followOutline } from './outline.js';
import { livePreview } from './live.js';
import { nearing } from './nearing.js';
import { previews } from './preview.js';
import { scrollableBoxes } from './scrollable.js';
import { syncTabs } from './tabs.js';
import { openWidget } from './widget.js';

// Everything is on the page already; this only brings parts of it to life.
livePreview();
bindAppearance();
followOutline();
syncTabs();
copyButtons();
scrollableBoxes();
previews();
nearing('[data-widget]', openWidget);
nearing('[data-plotly]', (box) => import('./plotly.js').then(({ drawFigure }) => drawFigure(box)));
