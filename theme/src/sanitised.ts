import sanitize from 'sanitize-html';
import { relOf } from './address.js';

/** HTML from a notebook or a bibliography without anything that runs: no scripts, handlers, frames, forms or styles. */
export function sanitised(html: string): string {
  return sanitize(html, {
    allowedTags: [...sanitize.defaults.allowedTags, 'img', 'details', 'summary', 'del', 'ins'],
    allowedAttributes: {
      '*': ['class', 'title', 'lang', 'dir', 'style', 'align'],
      a: ['href', 'name', 'rel'],
      img: ['src', 'alt', 'width', 'height'],
      th: ['colspan', 'rowspan', 'scope'],
      td: ['colspan', 'rowspan'],
      col: ['span'],
      colgroup: ['span'],
      ol: ['start'],
    },
    allowedStyles: {
      '*': {
        'text-align': [/^(left|right|center|start|end)$/],
        'font-weight': [/^(bold|normal|\d{3})$/],
        'font-style': [/^(italic|normal)$/],
        color: [/^#[0-9a-f]{3,8}$/i, /^rgba?\([\d., %]+\)$/, /^[a-z]+$/i],
        'background-color': [/^#[0-9a-f]{3,8}$/i, /^rgba?\([\d., %]+\)$/, /^[a-z]+$/i],
        width: [/^[\d.]+(px|em|%)$/],
      },
    },
    transformTags: {
      a: (tagName, attribs) => {
        const rel = relOf(attribs.href);
        return { tagName, attribs: rel === undefined ? attribs : { ...attribs, rel } };
      },
    },
    exclusiveFilter: ({ tag, attribs }) => tag === 'img' && attribs.src?.startsWith('data:') !== true,
    // An image from elsewhere would be a request to another host.
    allowedSchemesByTag: { img: ['data'] },
    allowedSchemes: ['http', 'https', 'mailto'],
  });
}
