import { bindAppearance } from './appearance.js';
import { comparisons } from './comparison.js';
import { copyButtons } from './copy.js';
import { followOutline } from './outline.js';
import { livePreview } from './live.js';
import { followMoves } from './moves.js';
import { nearing } from './nearing.js';
import { previews } from './preview.js';
import { scrollableBoxes } from './scrollable.js';
import { bindSearch } from './search.js';
import { syncTabs } from './tabs.js';
import { openWidget } from './widget.js';
import { zoomablePictures } from './zoom.js';

// Everything is on the page already; this only brings parts of it to life.
livePreview();
bindAppearance();
bindSearch();
followOutline();
syncTabs();
copyButtons();
comparisons();
zoomablePictures();
scrollableBoxes();
previews();
followMoves();
nearing('[data-widget]', openWidget);
nearing('[data-plotly]', (box) => import('./plotly.js').then(({ drawFigure }) => drawFigure(box)));
nearing('[data-mermaid]', (box) => import('./diagram.js').then(({ drawDiagram }) => drawDiagram(box)));
